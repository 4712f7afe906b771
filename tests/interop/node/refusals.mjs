// Authentication that all three endpoints must refuse.

import * as oauth from 'oauth4webapi';

import { connect, refusal, refused } from './server.mjs';

/** Wrong authentication. */
export async function wrongOnes(journey, wrong) {
  for (const [what, auth] of Object.entries(wrong)) {
    await nowhere(journey, what, auth, journey.options);
  }
}

/** The right parameters on a connection without the certificate, or with another one. */
export async function wrongConnections(journey, keys, others) {
  for (const other of [undefined, ...others]) {
    const connection = connect(keys, other);
    const what = other ? `the certificate of ${other.client_id}` : 'no certificate';
    try {
      await nowhere(journey, what, journey.auth, connection.options);
    } finally {
      await connection.close();
    }
  }
}

async function nowhere(journey, what, auth, options) {
  try {
    for (const answer of [
      () => journey.clientCredentials(auth, options),
      () => journey.revoke('unknown-to-everybody', undefined, auth, options),
      () => journey.introspect('unknown-to-everybody', auth, options),
    ]) {
      await refused(answer(), 401, 'invalid_client');
    }
    // The client must not be locked out yet. A success resets the count of failures.
    await journey.clientCredentials();
  } catch (error) {
    throw new Error(what, { cause: error });
  }
}

/** An assertion works once. The same request, or one to another endpoint, is refused. */
export async function replays(journey) {
  let seen;
  await journey.clientCredentials(journey.auth, {
    ...journey.options,
    [oauth.customFetch]: (url, init) => {
      seen = { url, init };
      return journey.connection.fetch(url, init);
    },
  });
  const { url, init } = seen;
  await refusal(await journey.connection.fetch(url, init), 401, 'invalid_client');

  const body = new URLSearchParams(init.body);
  body.delete('grant_type');
  body.set('token', 'unknown-to-everybody');
  for (const url of [journey.as.revocation_endpoint, journey.as.introspection_endpoint]) {
    const response = await journey.connection.fetch(url, { ...init, body });
    await refusal(response, 401, 'invalid_client');
  }
}
