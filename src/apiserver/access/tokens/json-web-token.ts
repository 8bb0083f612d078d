/** JSON Web Tokens (RFC 7519) of the server: signed by ES256 or RS256, in the compact form. */

import { type KeyObject, sign, verify } from 'node:crypto';
import { promisify } from 'node:util';
import { isList, isRecord, type JsonRecord } from '../../../base/json/json.ts';
import type { LegacyClaims } from '../../../plan/service-account/legacy-token.ts';
import type { AccountClaims, ObjectClaim, TokenClaims } from '../../../plan/service-account/token-claims.ts';
import type { SigningKeyPair } from './signing-key.ts';

/** A token that was split into its parts. Its signature has not been verified. */
export interface ParsedToken {
	readonly keyId: string | undefined;
	/** Name of the algorithm that the token claims to be signed by. */
	readonly algorithm: unknown;
	readonly payload: JsonRecord;
	readonly signed: string;
	readonly signature: Buffer;
}

/** Longer than any token of the server: Node limits all headers of a request to 16 KiB. */
const MAX_LENGTH = 16 * 1024;

const signAsync = promisify(sign);

/** Resolves to the signed token. By RS256, the signature is computed in a thread: it takes up to a millisecond, ten times as long. */
export async function signedToken(
	claims: TokenClaims | LegacyClaims,
	{ id, algorithm, privateKey }: SigningKeyPair,
): Promise<string> {
	const content = `${encoded({ alg: algorithm, kid: id })}.${encoded(claims)}`;
	const data = Buffer.from(content);
	const signature =
		algorithm === 'ES256'
			? sign('sha256', data, joseKey(privateKey))
			: await signAsync('sha256', data, privateKey);
	return `${content}.${signature.toString('base64url')}`;
}

/** Splits a token; undefined if it has not the form of one. */
export function parseToken(token: string): ParsedToken | undefined {
	if (token.length > MAX_LENGTH || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) return undefined;
	const [head = '', body = '', signature = ''] = token.split('.');
	const header = decoded(head);
	const payload = decoded(body);
	// A critical extension (`crit`) must be understood, and none is.
	if (!header || !payload || 'crit' in header) return undefined;
	return {
		keyId: typeof header.kid === 'string' && header.kid !== '' ? header.kid : undefined,
		algorithm: header.alg,
		payload,
		signed: `${head}.${body}`,
		signature: Buffer.from(signature, 'base64url'),
	};
}

/**
 * Whether the key has signed the token. Only the key's algorithm is accepted, whatever the token says. It takes less than 100
 * microseconds, about as long as a turn through the thread pool.
 */
export function isSignedBy(
	{ algorithm, signed, signature }: ParsedToken,
	key: Pick<SigningKeyPair, 'algorithm' | 'publicKey'>,
): boolean {
	return (
		algorithm === key.algorithm && verify('sha256', Buffer.from(signed), joseKey(key.publicKey), signature)
	);
}

/** The key with the form of its signatures in tokens (RFC 7518, section 3.4), which for ES256 is not that of OpenSSL. */
function joseKey(key: KeyObject): { readonly key: KeyObject; readonly dsaEncoding: 'ieee-p1363' } {
	return { key, dsaEncoding: 'ieee-p1363' };
}

/** The claims in the payload; undefined if the server cannot have written them. */
export function claimsOf({ payload }: ParsedToken): TokenClaims | undefined {
	const { aud, exp, iat, iss, jti, nbf, sub, 'kubernetes.io': account } = payload;
	const claims = accountOf(account);
	if (!claims || !isList(aud) || !aud.every((audience) => typeof audience === 'string')) return undefined;
	if (typeof exp !== 'number' || typeof iat !== 'number' || typeof nbf !== 'number') return undefined;
	if (typeof iss !== 'string' || typeof jti !== 'string' || typeof sub !== 'string') return undefined;
	return { aud, exp, iat, iss, jti, 'kubernetes.io': claims, nbf, sub };
}

/** The claims in the payload of a token in a Secret; undefined if the server cannot have written them. */
export function legacyClaimsOf({ payload }: ParsedToken): LegacyClaims | undefined {
	const { iss, sub } = payload;
	const [namespace, secret, account, uid] = [
		'namespace',
		'secret.name',
		'service-account.name',
		'service-account.uid',
	].map((name) => payload[`kubernetes.io/serviceaccount/${name}`]);
	if (!isText(iss) || !isText(sub) || !isText(namespace) || !isText(secret)) return undefined;
	if (!isText(account) || !isText(uid)) return undefined;
	return {
		iss,
		'kubernetes.io/serviceaccount/namespace': namespace,
		'kubernetes.io/serviceaccount/secret.name': secret,
		'kubernetes.io/serviceaccount/service-account.name': account,
		'kubernetes.io/serviceaccount/service-account.uid': uid,
		sub,
	};
}

function isText(value: unknown): value is string {
	return typeof value === 'string' && value !== '';
}

function accountOf(value: unknown): AccountClaims | undefined {
	if (!isRecord(value) || typeof value.namespace !== 'string') return undefined;
	const serviceaccount = objectOf(value.serviceaccount);
	const [pod, secret, node] = [objectOf(value.pod), objectOf(value.secret), objectOf(value.node)];
	if (!serviceaccount) return undefined;
	return {
		namespace: value.namespace,
		serviceaccount,
		...(pod && { pod }),
		...(secret && { secret }),
		...(node && { node }),
	};
}

function objectOf(value: unknown): ObjectClaim | undefined {
	if (!isRecord(value) || typeof value.name !== 'string') return undefined;
	return { name: value.name, ...(typeof value.uid === 'string' && { uid: value.uid }) };
}

function encoded(value: object): string {
	return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decoded(part: string): JsonRecord | undefined {
	try {
		const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
		return isRecord(value) ? value : undefined;
	} catch {
		return undefined;
	}
}
