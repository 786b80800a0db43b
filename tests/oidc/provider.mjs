// A provider of single sign-on by OpenID Connect that is not ours: npm's oidc-provider, certified by
// the OpenID Foundation, on a loopback port, for one client and whoever says a name. It prints its
// port and ends when its standard input does.
//
// Everybody who logs in is in the group `commander`, and the tokens say so: that is what nothing
// may follow from.

import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';

const { client, secret, back, algorithm } = JSON.parse(process.argv[2]);

const key = async (alg, kid) => {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, kid, use: 'sig' };
};

const server = createServer();
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const { port } = server.address();

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: client,
    client_secret: secret,
    redirect_uris: [back],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    id_token_signed_response_alg: algorithm,
  }],
  jwks: { keys: [await key('RS256', 'rsa'), await key('ES256', 'curve')] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  pkce: { required: () => true },
  claims: { openid: ['sub', 'groups'] },
  conformIdTokenClaims: false,
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, { uid }) => `/people/${uid}` },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, groups: ['commander'], roles: ['commander', 'admin'] }),
  }),
  // Nobody is asked whether this client may know who they are.
  loadExistingGrant: async ({ oidc }) => {
    const of = { clientId: oidc.client.clientId, accountId: oidc.session.accountId };
    const grant = new oidc.provider.Grant(of);
    grant.addOIDCScope('openid');
    await grant.save();
    return grant;
  },
});

// The page on which people say who they are. A form in life; here the name is in the address.
provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith('/people/')) return next();
  const { account, no } = ctx.query;
  if (no) {
    return provider.interactionFinished(ctx.req, ctx.res, { error: 'access_denied' });
  }
  if (!account) {
    ctx.body = 'Who are you?';
    return undefined;
  }
  return provider.interactionFinished(ctx.req, ctx.res, { login: { accountId: account } });
});

server.on('request', provider.callback());
process.stdin.on('end', () => process.exit(0)).resume();
console.log(port);
