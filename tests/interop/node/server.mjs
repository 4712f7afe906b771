// Connections to the server, and checks of its errors.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import * as oauth from 'oauth4webapi';
import { Agent, fetch } from 'undici';

/** Connections that trust the CA of the server, with a client certificate if there is one. */
export function connect(keys, certificate) {
  const file = (name) => readFileSync(join(keys, name));
  const agent = new Agent({
    connect: {
      ca: file('ca.pem'),
      ...(certificate && { cert: file(certificate.certificate), key: file(certificate.key) }),
    },
  });
  const send = (url, init) => fetch(url, { ...init, dispatcher: agent });
  return {
    fetch: send,
    options: { [oauth.allowInsecureRequests]: true, [oauth.customFetch]: send },
    close: () => agent.close(),
  };
}

/** Resolves if the server refuses the request with this error. */
export async function refused(answer, status, code) {
  let error;
  try {
    await answer;
  } catch (caught) {
    error = caught;
  }
  assert(error, `accepted instead of refused with ${code}`);
  // The library throws a challenge before it reads the body.
  if (error instanceof oauth.WWWAuthenticateChallengeError) {
    await refusal(error.response, status, code);
  } else if (error instanceof oauth.ResponseBodyError) {
    assert.deepEqual([error.status, error.error], [status, code]);
  } else {
    throw error;
  }
}

/** The same check for a response that the library has not read. */
export async function refusal(response, status, code) {
  assert.equal(response.status, status);
  assert.equal((await response.json()).error, code);
}
