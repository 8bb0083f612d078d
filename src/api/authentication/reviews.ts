/** The kinds by which clients ask who a user is. They are never stored. */

import { virtualResource } from '../contract/virtual-resource.ts';
import { objectMetaSchema } from '../meta/object-meta.ts';
import {
	always,
	boolean,
	type Infer,
	list,
	object,
	omitZero,
	optional,
	required,
	string,
} from '../schema/schema.ts';
import { userInfoSchema } from './user-info.ts';

const GROUP = { group: 'authentication.k8s.io', version: 'v1' } as const;

/** Schema of authentication.k8s.io/v1 TokenReview. */
export const tokenReviewSchema = object(
	'io.k8s.api.authentication.v1.TokenReview',
	'Question whose token a bearer token is. It is not stored; the response contains the answer.',
	{
		apiVersion: optional(string, 'Version of the API: authentication.k8s.io/v1.'),
		kind: optional(string, 'Kind of the object: TokenReview.'),
		metadata: required(objectMetaSchema, 'Standard object metadata, which the server ignores.'),
		spec: required(
			object('io.k8s.api.authentication.v1.TokenReviewSpec', 'The token in question.', {
				token: optional(string, 'Bearer token to check.'),
				audiences: optional(
					list(string),
					'Names of the service that received the token: it must be valid for one of them. Default: the API server.',
				),
			}),
			'The token in question.',
		),
		status: always(
			object('io.k8s.api.authentication.v1.TokenReviewStatus', 'What the server found about the token.', {
				authenticated: omitZero(boolean, 'Whether the token is valid.'),
				user: always(userInfoSchema, 'User of the token; empty if it is not valid.'),
				audiences: optional(list(string), 'Those of the requested audiences that the token is valid for.'),
				error: optional(string, 'Why the token is not valid.'),
			}),
			'What the server found about the token. Set by the server.',
		),
	},
);

/** Question whose token a bearer token is. */
export type TokenReview = Infer<typeof tokenReviewSchema>;

/** Schema of authentication.k8s.io/v1 SelfSubjectReview. */
export const selfSubjectReviewSchema = object(
	'io.k8s.api.authentication.v1.SelfSubjectReview',
	'Question who the sender of the request is. It is not stored; the response contains the answer.',
	{
		apiVersion: optional(string, 'Version of the API: authentication.k8s.io/v1.'),
		kind: optional(string, 'Kind of the object: SelfSubjectReview.'),
		metadata: required(objectMetaSchema, 'Standard object metadata, which the server ignores.'),
		status: always(
			object('io.k8s.api.authentication.v1.SelfSubjectReviewStatus', 'The sender of the request.', {
				userInfo: always(userInfoSchema, 'User who sent the request.'),
			}),
			'The sender of the request. Set by the server.',
		),
	},
);

/** Question who the sender of the request is. */
export type SelfSubjectReview = Infer<typeof selfSubjectReviewSchema>;

/** authentication.k8s.io/v1 TokenReviews. */
export const tokenReviews = virtualResource({
	...GROUP,
	kind: 'TokenReview',
	resource: 'tokenreviews',
	singular: 'tokenreview',
	schema: tokenReviewSchema,
});

/** authentication.k8s.io/v1 SelfSubjectReviews. */
export const selfSubjectReviews = virtualResource({
	...GROUP,
	kind: 'SelfSubjectReview',
	resource: 'selfsubjectreviews',
	singular: 'selfsubjectreview',
	schema: selfSubjectReviewSchema,
});
