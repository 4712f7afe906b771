// The life of a grant. Each step uses a function of oauth4webapi.

import assert from 'node:assert/strict';

import * as oauth from 'oauth4webapi';

import { refused } from './server.mjs';

const REDIRECT_URI = 'http://127.0.0.1:49152/callback';

export async function discover(issuer, { options }) {
  const url = new URL(issuer);
  const response = await oauth.discoveryRequest(url, { algorithm: 'oauth2', ...options });
  const as = await oauth.processDiscoveryResponse(url, response);
  // The library compares normalized URLs, but RFC 8414 requires equal strings.
  assert.equal(as.issuer, issuer);
  return as;
}

/** The requests of one client to one server. */
export class Journey {
  constructor(as, client, auth, connection) {
    this.as = as;
    this.client = client;
    this.auth = auth;
    this.connection = connection;
    this.options = connection.options;
  }

  /** Goes from consent to the end of the grant. */
  async grant() {
    const issued = await this.authorize();
    assert.equal((await this.me(issued.access_token)).sub, 'alice');
    await this.active(issued.access_token);
    await this.active(issued.refresh_token);

    const fresh = await this.refresh(issued.refresh_token);
    await this.me(issued.access_token);
    await this.me(fresh.access_token);

    await this.revoke(fresh.refresh_token, 'refresh_token');
    for (const token of [issued.access_token, fresh.access_token]) {
      await this.dead(token);
    }
    await refused(this.refresh(fresh.refresh_token), 400, 'invalid_grant');
    await this.revoke(fresh.refresh_token, 'refresh_token');
    await this.revoke('unknown-to-everybody');
  }

  /** Uses a token of the client itself, without a user. */
  async own() {
    const { access_token: token } = await this.clientCredentials();
    const { client_id: id } = await this.me(token);
    assert.equal(id, this.client.client_id);
    // With a wrong hint.
    await this.revoke(token, 'refresh_token');
    await this.dead(token);
  }

  async authorize() {
    const { as, client, auth, options } = this;
    const verifier = oauth.generateRandomCodeVerifier();
    const state = oauth.generateRandomState();
    const url = new URL(as.authorization_endpoint);
    url.search = new URLSearchParams({
      client_id: client.client_id,
      response_type: 'code',
      redirect_uri: REDIRECT_URI,
      scope: 'read',
      state,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    const sent = await this.connection.fetch(url, { redirect: 'manual' });
    const location = sent.headers.get('location');
    assert(location?.startsWith(`${REDIRECT_URI}?`), `${sent.status}, sent to ${location}`);
    const callback = oauth.validateAuthResponse(as, client, new URL(location), state);
    assert.equal(callback.get('iss'), as.issuer);

    const response = await oauth.authorizationCodeGrantRequest(
      ...[as, client, auth, callback, REDIRECT_URI, verifier, options],
    );
    const tokens = await oauth.processAuthorizationCodeResponse(as, client, response);
    assert.equal(tokens.scope, 'read');
    return tokens;
  }

  async refresh(token) {
    const { as, client, auth, options } = this;
    const response = await oauth.refreshTokenGrantRequest(as, client, auth, token, options);
    return oauth.processRefreshTokenResponse(as, client, response);
  }

  async clientCredentials(auth = this.auth, options = this.options) {
    const { as, client } = this;
    const response = await oauth.clientCredentialsGrantRequest(as, client, auth, {}, options);
    return oauth.processClientCredentialsResponse(as, client, response);
  }

  async revoke(token, hint, auth = this.auth, options = this.options) {
    const additionalParameters = hint && { token_type_hint: hint };
    const response = await oauth.revocationRequest(
      ...[this.as, this.client, auth, token, { ...options, additionalParameters }],
    );
    await oauth.processRevocationResponse(response);
  }

  async introspect(token, auth = this.auth, options = this.options) {
    const { as, client } = this;
    const response = await oauth.introspectionRequest(as, client, auth, token, options);
    return oauth.processIntrospectionResponse(as, client, response);
  }

  /** Calls the API. */
  async me(token) {
    const url = new URL('/api/me', this.as.issuer);
    const response = await oauth.protectedResourceRequest(
      ...[token, 'GET', url, undefined, undefined, this.options],
    );
    assert.equal(response.status, 200);
    return response.json();
  }

  async active(token) {
    if (this.client.token_endpoint_auth_method !== 'none') {
      const { active, client_id: id, sub, scope } = await this.introspect(token);
      const expected = [true, this.client.client_id, 'alice', 'read'];
      assert.deepEqual([active, id, sub, scope], expected);
    }
  }

  /** Asserts that the API and introspection refuse the token. */
  async dead(token) {
    await assert.rejects(this.me(token), ({ status, cause }) => {
      const [{ scheme, parameters }] = cause;
      assert.deepEqual([status, scheme, parameters.error], [401, 'bearer', 'invalid_token']);
      return true;
    });
    if (this.client.token_endpoint_auth_method !== 'none') {
      assert.deepEqual(await this.introspect(token), { active: false });
    }
  }
}
