//! Which value of a claim is admitted?

/// The values of a claim that a restriction admits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Only<T> {
    #[default]
    Any,
    This(T),
    /// Two restrictions admit different values.
    Nothing,
}

impl<T: PartialEq> Only<T> {
    /// What both restrictions admit.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Any, only) | (only, Self::Any) => only,
            (Self::This(one), Self::This(other)) if one == other => Self::This(one),
            _ => Self::Nothing,
        }
    }
}

impl<T: AsRef<str>> Only<T> {
    /// Whether it admits this value. `None` if there is a restriction and no value to compare.
    pub(super) fn admits(&self, known: Option<&str>) -> Option<bool> {
        match (self, known) {
            (Self::Any, _) => Some(true),
            (Self::Nothing, _) => Some(false),
            (Self::This(wanted), Some(known)) => Some(wanted.as_ref() == known),
            (Self::This(_), None) => None,
        }
    }
}
