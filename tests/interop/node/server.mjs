// The server as the library is to reach it, and what the server may say no with.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import * as oauth from 'oauth4webapi';
import { Agent, fetch } from 'undici';

/** Connections that trust the server's CA, and show a certificate if there is one. */
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

/** Resolves if the library is refused like this. */
export async function refused(answer, status, code) {
  let error;
  try {
    await answer;
  } catch (caught) {
    error = caught;
  }
  assert(error, `accepted, and not refused with ${code}`);
  // A challenge is raised before the body is read.
  if (error instanceof oauth.WWWAuthenticateChallengeError) {
    await refusal(error.response, status, code);
  } else if (error instanceof oauth.ResponseBodyError) {
    assert.deepEqual([error.status, error.error], [status, code]);
  } else {
    throw error;
  }
}

/** The same of an answer that no library has read. */
export async function refusal(response, status, code) {
  assert.equal(response.status, status);
  assert.equal((await response.json()).error, code);
}
