// The authentication of each client by the functions of the library, and wrong variants.

import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import * as oauth from 'oauth4webapi';

const ALGORITHMS = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  PS256: { name: 'RSA-PSS', hash: 'SHA-256' },
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  Ed25519: { name: 'Ed25519' },
  EdDSA: { name: 'Ed25519' },
};

/** Returns the `right` authentication, and the `wrong` ones by name. */
export async function authentication(client, keys) {
  switch (client.method) {
    case 'none':
      return { right: oauth.None(), wrong: {} };
    case 'client_secret_basic':
      return {
        right: oauth.ClientSecretBasic(client.secret),
        wrong: {
          'a wrong secret': oauth.ClientSecretBasic(`${client.secret}x`),
          'the secret in the body': oauth.ClientSecretPost(client.secret),
          'no secret': oauth.None(),
        },
      };
    case 'client_secret_post':
      return {
        right: oauth.ClientSecretPost(client.secret),
        wrong: {
          'a wrong secret': oauth.ClientSecretPost(`${client.secret}x`),
          'the secret in the header': oauth.ClientSecretBasic(client.secret),
          'no secret': oauth.None(),
        },
      };
    case 'client_secret_jwt': {
      const claims = (claims) => oauth.ClientSecretJwt(client.secret, modified(claims));
      return {
        right: claims({}),
        wrong: {
          'a wrong secret': oauth.ClientSecretJwt(`${client.secret}x`),
          'the secret itself': oauth.ClientSecretPost(client.secret),
          ...wrongClaims(claims),
        },
      };
    }
    case 'private_key_jwt': {
      const key = await privateKey(client, keys);
      const stranger = await oauth.generateKeyPair(client.kind);
      const signed = (key, claims) => {
        return oauth.PrivateKeyJwt({ key, kid: client.client_id }, modified(claims, client.kind));
      };
      const claims = (claims) => signed(key, claims);
      return {
        right: claims({}),
        wrong: {
          'another key': signed(stranger.privateKey, {}),
          'no assertion': oauth.None(),
          ...wrongClaims(claims),
        },
      };
    }
    case 'tls_client_auth':
    case 'self_signed_tls_client_auth':
      // Here only the connection can be wrong.
      return { right: oauth.TlsClientAuth(), wrong: {} };
    default:
      throw new Error(`${client.method} is unknown`);
  }
}

/** The library uses the name Ed25519. Others use EdDSA for the same key. */
function modified(claims, alg) {
  return {
    [oauth.modifyAssertion]: (header, payload) => {
      if (alg === 'EdDSA') {
        header.alg = alg;
      }
      Object.assign(payload, claims);
    },
  };
}

function wrongClaims(claims) {
  const now = Math.floor(Date.now() / 1000);
  return {
    'an assertion for another server': claims({ aud: 'https://other.example' }),
    'an assertion that has expired': claims({ iat: now - 600, nbf: now - 600, exp: now - 300 }),
    'an assertion without jti': claims({ jti: undefined }),
  };
}

async function privateKey(client, keys) {
  const pem = readFileSync(join(keys, client.key));
  const der = createPrivateKey(pem).export({ format: 'der', type: 'pkcs8' });
  return crypto.subtle.importKey('pkcs8', der, ALGORITHMS[client.kind], false, ['sign']);
}
