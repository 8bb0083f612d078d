/** The kinds by which clients ask what a user may do. They are never stored. */

import { virtualResource } from '../contract/virtual-resource.ts';
import { objectMetaSchema } from '../meta/object-meta.ts';
import {
	always,
	boolean,
	type Infer,
	list,
	type ObjectNode,
	object,
	omitZero,
	optional,
	required,
	type Schema,
	string,
} from '../schema/schema.ts';
import { accessSpecSchema, selfAccessSpecSchema } from './access-spec.ts';

const GROUP = { group: 'authorization.k8s.io', version: 'v1' } as const;

const accessStatusSchema = object(
	'io.k8s.api.authorization.v1.SubjectAccessReviewStatus',
	'Whether the action is allowed.',
	{
		allowed: required(boolean, 'Whether the action is allowed.'),
		denied: omitZero(
			boolean,
			'Whether the action is denied explicitly, so that no other authorizer can allow it.',
		),
		reason: optional(string, 'Why the action is allowed or not, if the authorizer says so.'),
		evaluationError: optional(string, 'Error that occurred while the authorizer decided.'),
	},
);

/** The fields of a kind that asks about one action; `description` is that of the kind. */
function accessReview<T>(kind: string, spec: ObjectNode & Schema<T>) {
	return object(
		`io.k8s.api.authorization.v1.${kind}`,
		'Question whether an action is allowed. It is not stored; the response contains the answer.',
		{
			apiVersion: optional(string, 'Version of the API: authorization.k8s.io/v1.'),
			kind: optional(string, `Kind of the object: ${kind}.`),
			metadata: required(objectMetaSchema, 'Standard object metadata: must be empty but for the namespace.'),
			spec: required<T>(spec, 'The action in question.'),
			status: always(accessStatusSchema, 'Whether the action is allowed. Set by the server.'),
		},
	);
}

/** Schema of authorization.k8s.io/v1 SubjectAccessReview. */
export const subjectAccessReviewSchema = accessReview('SubjectAccessReview', accessSpecSchema);

/** Question whether a user may do something. */
export type SubjectAccessReview = Infer<typeof subjectAccessReviewSchema>;

/** Schema of authorization.k8s.io/v1 LocalSubjectAccessReview. */
export const localSubjectAccessReviewSchema = accessReview('LocalSubjectAccessReview', accessSpecSchema);

/** Schema of authorization.k8s.io/v1 SelfSubjectAccessReview. */
export const selfSubjectAccessReviewSchema = accessReview('SelfSubjectAccessReview', selfAccessSpecSchema);

/** Question whether the sender of the request may do something. */
export type SelfSubjectAccessReview = Infer<typeof selfSubjectAccessReviewSchema>;

const resourceRuleSchema = object(
	'io.k8s.api.authorization.v1.ResourceRule',
	'Actions on resources that are allowed.',
	{
		verbs: required(list(string), 'Verbs of the API. An asterisk means all.'),
		apiGroups: optional(list(string), 'API groups of the resources. An asterisk means all.'),
		resources: optional(
			list(string),
			'Plural names of resources, or resource/subresource. An asterisk means all.',
		),
		resourceNames: optional(list(string), 'Names of the objects; none means all of them.'),
	},
);

const nonResourceRuleSchema = object(
	'io.k8s.api.authorization.v1.NonResourceRule',
	'Requests for paths that are allowed.',
	{
		verbs: required(list(string), 'HTTP methods in lower case. An asterisk means all.'),
		nonResourceURLs: optional(list(string), 'Paths. An asterisk at the end stands for any text.'),
	},
);

/** Schema of authorization.k8s.io/v1 SelfSubjectRulesReview. */
export const selfSubjectRulesReviewSchema = object(
	'io.k8s.api.authorization.v1.SelfSubjectRulesReview',
	'Question what the sender of the request may do in a namespace. It is not stored; the response contains the answer.',
	{
		apiVersion: optional(string, 'Version of the API: authorization.k8s.io/v1.'),
		kind: optional(string, 'Kind of the object: SelfSubjectRulesReview.'),
		metadata: required(objectMetaSchema, 'Standard object metadata, which the server ignores.'),
		spec: required(
			object('io.k8s.api.authorization.v1.SelfSubjectRulesReviewSpec', 'The namespace in question.', {
				namespace: optional(string, 'Namespace whose rules the server lists. Required.'),
			}),
			'The namespace in question.',
		),
		status: always(
			object(
				'io.k8s.api.authorization.v1.SubjectRulesReviewStatus',
				'What the sender of the request may do.',
				{
					resourceRules: required(list(resourceRuleSchema), 'Actions on resources that are allowed.'),
					nonResourceRules: required(list(nonResourceRuleSchema), 'Requests for paths that are allowed.'),
					incomplete: required(boolean, 'Whether the lists may lack something that is allowed.'),
					evaluationError: optional(string, 'Error that occurred while the rules were collected.'),
				},
			),
			'What the sender may do. Set by the server.',
		),
	},
);

/** Question what the sender of the request may do. */
export type SelfSubjectRulesReview = Infer<typeof selfSubjectRulesReviewSchema>;

/** authorization.k8s.io/v1 SubjectAccessReviews. */
export const subjectAccessReviews = virtualResource({
	...GROUP,
	kind: 'SubjectAccessReview',
	resource: 'subjectaccessreviews',
	singular: 'subjectaccessreview',
	schema: subjectAccessReviewSchema,
});

/** authorization.k8s.io/v1 LocalSubjectAccessReviews. */
export const localSubjectAccessReviews = virtualResource({
	...GROUP,
	kind: 'LocalSubjectAccessReview',
	resource: 'localsubjectaccessreviews',
	singular: 'localsubjectaccessreview',
	schema: localSubjectAccessReviewSchema,
	namespaced: true,
});

/** authorization.k8s.io/v1 SelfSubjectAccessReviews. */
export const selfSubjectAccessReviews = virtualResource({
	...GROUP,
	kind: 'SelfSubjectAccessReview',
	resource: 'selfsubjectaccessreviews',
	singular: 'selfsubjectaccessreview',
	schema: selfSubjectAccessReviewSchema,
});

/** authorization.k8s.io/v1 SelfSubjectRulesReviews. */
export const selfSubjectRulesReviews = virtualResource({
	...GROUP,
	kind: 'SelfSubjectRulesReview',
	resource: 'selfsubjectrulesreviews',
	singular: 'selfsubjectrulesreview',
	schema: selfSubjectRulesReviewSchema,
});
