/**
 * The OpenID documents, by which other services verify the tokens of ServiceAccounts: the configuration, and
 * the public key as a JSON Web Key Set. Upstream: pkg/serviceaccount/openidmetadata.go and
 * pkg/routes/openidmetadata.go.
 */

import { TOKEN_ISSUER } from '../../plan/service-account/token-claims.ts';
import type { SigningKey } from '../access/tokens/signing-key.ts';
import { type Answer, valueAnswer } from '../respond.ts';

const CONFIGURATION = '/.well-known/openid-configuration';
const KEYS = '/openid/v1/jwks';

/** How long clients may use a document without asking again (upstream: `GetCacheAgeMaxSeconds`). */
const MAX_AGE_SECONDS = 3600;

/** What the documents contain. */
interface OpenIdOptions {
	readonly key: SigningKey;
	/** Returns the URL at which clients reach the server; undefined if there is none. */
	readonly url: () => string | undefined;
}

/** Resolves to the response for a path (without trailing slash); to undefined if it is no OpenID path. */
export async function openIdDocument(path: string, { key, url }: OpenIdOptions): Promise<Answer | undefined> {
	if (path === CONFIGURATION) {
		const document = {
			issuer: TOKEN_ISSUER,
			jwks_uri: `${url() ?? TOKEN_ISSUER}${KEYS}`,
			response_types_supported: ['id_token'],
			subject_types_supported: ['public'],
			id_token_signing_alg_values_supported: [(await key.load()).algorithm],
		};
		return { ...valueAnswer(200, document), maxAgeSeconds: MAX_AGE_SECONDS };
	}
	if (path !== KEYS) return undefined;
	const { id, algorithm: alg, publicKey } = await key.load();
	const { kty, crv, x, y, n, e } = publicKey.export({ format: 'jwk' });
	const point = alg === 'ES256' ? { crv, alg, x, y } : { alg, n, e };
	const document = { keys: [Object.assign({ use: 'sig', kty, kid: id }, point)] };
	return {
		...valueAnswer(200, document),
		contentType: 'application/jwk-set+json',
		maxAgeSeconds: MAX_AGE_SECONDS,
	};
}
