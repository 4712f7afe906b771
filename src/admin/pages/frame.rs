//! What surrounds the content of every page.

use super::style;

/// The head, the navigation and the foot of a page.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// The path before every link.
    pub(super) base: String,
    pub(super) style: &'static str,
    /// Whether it is for users: they have other pages than operators.
    pub(super) is_own: bool,
    /// The place in the navigation.
    pub(super) here: &'static str,
    /// `None` if nobody has signed in.
    pub(super) visitor: Option<Visitor>,
    /// The token of the forms.
    pub(super) form_token: String,
}

/// Who has signed in.
#[derive(Clone, Debug)]
pub(super) struct Visitor {
    pub(super) name: String,
    pub(super) role: &'static str,
    /// Whether a form signs out. A proxy may have signed in.
    pub(super) can_sign_out: bool,
}

impl Frame {
    pub(super) fn operator(here: &'static str, form_token: String) -> Self {
        Self {
            base: String::new(),
            style: &style::NAME,
            is_own: false,
            here,
            visitor: None,
            form_token,
        }
    }

    pub(super) fn own(base: &str, form_token: String) -> Self {
        Self {
            base: base.to_owned(),
            style: &style::NAME,
            is_own: true,
            here: "",
            visitor: None,
            form_token,
        }
    }

    pub(super) fn of(mut self, visitor: Visitor) -> Self {
        self.visitor = Some(visitor);
        self
    }
}
