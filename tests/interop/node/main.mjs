// main.mjs CLIENTS KEYS ISSUER: tests each client of the file CLIENTS at the server ISSUER. The keys of
// the clients are in the folder KEYS. Prints one line for each client.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { authentication } from './authentication.mjs';
import { Journey, discover } from './journey.mjs';
import { replays, wrongConnections, wrongOnes } from './refusals.mjs';
import { connect } from './server.mjs';

const [file, keys, issuer] = process.argv.slice(2);
const clients = JSON.parse(readFileSync(file));
const certified = clients.filter((client) => client.certificate);

for (const client of clients) {
  const scheme = new URL(issuer).protocol.slice(0, -1);
  const what = ['oauth4webapi', scheme, client.method, client.kind].filter(Boolean).join(' ');
  try {
    await travel(client);
    console.log(`${what}: ok`);
  } catch (error) {
    console.log(`${what}: FAILED`);
    console.error(error);
    process.exitCode = 1;
  }
}

async function travel(registered) {
  const { client_id, method, certificate } = registered;
  const connection = connect(keys, certificate && registered);
  try {
    const as = await discover(issuer, connection);
    for (const endpoint of ['token', 'revocation', ...(method === 'none' ? [] : ['introspection'])]) {
      const supported = as[`${endpoint}_endpoint_auth_methods_supported`];
      assert(supported?.includes(method), `${endpoint}: ${method} is not in ${supported}`);
    }
    const { right, wrong } = await authentication(registered, keys);
    const client = {
      client_id,
      token_endpoint_auth_method: method,
      use_mtls_endpoint_aliases: Boolean(certificate),
    };
    const journey = new Journey(as, client, right, connection);

    await journey.grant();
    if (method === 'none') {
      return;
    }
    await journey.own();
    await wrongOnes(journey, wrong);
    if (method.endsWith('_jwt')) {
      await replays(journey);
    }
    if (certificate) {
      const others = certified.filter((other) => other.client_id !== client_id);
      await wrongConnections(journey, keys, others);
    } else {
      // A certificate on the connection does not affect clients with other methods.
      const certain = connect(keys, certified[0]);
      await new Journey(as, client, right, certain).own().finally(certain.close);
    }
  } finally {
    await connection.close();
  }
}
