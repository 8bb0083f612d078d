import type { Int64 } from '../../base/json/json.ts';
import { fieldInvalid } from '../errors/field-errors.ts';
import { type FieldError, SPEC } from '../errors/field-path.ts';
import { objectMetaSchema } from '../meta/object-meta.ts';
import {
	always,
	type Infer,
	int64,
	list,
	object,
	optional,
	required,
	string,
	timeOrNull,
} from '../schema/schema.ts';

const boundObjectReferenceSchema = object(
	'io.k8s.api.authentication.v1.BoundObjectReference',
	'Object that a token is bound to: the token is valid as long as the object exists.',
	{
		kind: optional(string, 'Kind of the object: Pod, Secret or Node.'),
		apiVersion: optional(string, 'API version of the object: v1.'),
		name: optional(string, 'Name of the object; a Pod or Secret is in the namespace of the account.'),
		uid: optional(
			string,
			'UID of the object. If set, it must be the UID of the current object of this name.',
		),
	},
);

const tokenRequestSpecSchema = object(
	'io.k8s.api.authentication.v1.TokenRequestSpec',
	'Properties of the requested token.',
	{
		audiences: optional(list(string), 'Services that may accept the token. Default: the API server.'),
		expirationSeconds: optional(int64, 'Lifetime of the token in seconds: at least 600. Default 3600.'),
		boundObjectRef: optional(boundObjectReferenceSchema, 'Object that the token is bound to. Default: none.'),
	},
);

/** Schema of authentication.k8s.io/v1 TokenRequest, which clients post to `serviceaccounts/<name>/token`. */
export const tokenRequestSchema = object(
	'io.k8s.api.authentication.v1.TokenRequest',
	'Request for a token with which a ServiceAccount authenticates. It is not stored; the response contains the token.',
	{
		apiVersion: optional(string, 'Version of the API: authentication.k8s.io/v1.'),
		kind: optional(string, 'Kind of the object: TokenRequest.'),
		metadata: required(objectMetaSchema, 'Name, namespace and UID of the ServiceAccount, if they are set.'),
		spec: required(tokenRequestSpecSchema, 'Properties of the requested token.'),
		status: always(
			object('io.k8s.api.authentication.v1.TokenRequestStatus', 'The issued token and its expiry.', {
				token: required(string, 'Bearer token of the ServiceAccount.'),
				expirationTimestamp: always(timeOrNull, 'Time at which the token should be replaced by a new one.'),
			}),
			'The issued token. Set by the server.',
		),
	},
);

/** Request for a token of a ServiceAccount. */
export type TokenRequest = Infer<typeof tokenRequestSchema>;

/** Lifetime of a token whose request names none. */
export const DEFAULT_TOKEN_SECONDS = 3600;

const MIN_SECONDS = 600;
const MAX_SECONDS = 2 ** 32;

/** The errors of a lifetime (upstream: `ValidateTokenRequest` in pkg/apis/authentication/validation). */
export function validateTokenSeconds(seconds: Int64): readonly FieldError[] {
	const path = SPEC.child('expirationSeconds');
	if (seconds < MIN_SECONDS)
		return [fieldInvalid(path, seconds, 'may not specify a duration less than 10 minutes')];
	if (seconds > MAX_SECONDS)
		return [fieldInvalid(path, seconds, 'may not specify a duration larger than 2^32 seconds')];
	return [];
}
