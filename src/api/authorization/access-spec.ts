/** The action that a review of access asks about. */

import { labelSelectorRequirementSchema } from '../meta/selector.ts';
import { type Infer, list, map, object, optional, required, string } from '../schema/schema.ts';

const fieldSelectorRequirementSchema = object(
	'io.k8s.apimachinery.pkg.apis.meta.v1.FieldSelectorRequirement',
	'A requirement on one field of an object.',
	{
		key: required(string, 'Field that the requirement applies to.'),
		operator: required(string, 'How the field relates to the values: In, NotIn, Exists or DoesNotExist.'),
		values: optional(list(string), 'Values for In and NotIn. Must be empty for Exists and DoesNotExist.'),
	},
);

const fieldSelectorAttributesSchema = object(
	'io.k8s.api.authorization.v1.FieldSelectorAttributes',
	'Limits the action to objects by their fields.',
	{
		rawSelector: optional(string, 'Field selector as in a query. Not together with requirements.'),
		requirements: optional(
			list(fieldSelectorRequirementSchema),
			'Requirements, all of which hold for the objects. Not together with rawSelector.',
		),
	},
);

const labelSelectorAttributesSchema = object(
	'io.k8s.api.authorization.v1.LabelSelectorAttributes',
	'Limits the action to objects by their labels.',
	{
		rawSelector: optional(string, 'Label selector as in a query. Not together with requirements.'),
		requirements: optional(
			list(labelSelectorRequirementSchema),
			'Requirements, all of which hold for the objects. Not together with rawSelector.',
		),
	},
);

const resourceAttributesSchema = object(
	'io.k8s.api.authorization.v1.ResourceAttributes',
	'An action on a resource of the API.',
	{
		namespace: optional(
			string,
			'Namespace of the action. Empty for cluster-scoped resources, and for an action in all namespaces.',
		),
		verb: optional(string, 'Verb of the API, such as get, list, create or delete. An asterisk means all.'),
		group: optional(string, 'API group of the resource. An asterisk means all groups.'),
		version: optional(string, 'API version of the resource. An asterisk means all versions.'),
		resource: optional(string, 'Plural name of the resource. An asterisk means all resources.'),
		subresource: optional(string, 'Subresource, such as log or status. Empty for the object itself.'),
		name: optional(string, 'Name of the object. Empty means all objects.'),
		fieldSelector: optional(fieldSelectorAttributesSchema, 'Limits the action to objects by their fields.'),
		labelSelector: optional(labelSelectorAttributesSchema, 'Limits the action to objects by their labels.'),
	},
);

/** An action on a resource. */
export type AccessResourceAttributes = Infer<typeof resourceAttributesSchema>;

const nonResourceAttributesSchema = object(
	'io.k8s.api.authorization.v1.NonResourceAttributes',
	'A request for a path that belongs to no resource.',
	{
		path: optional(string, 'Path of the URL, such as /metrics.'),
		verb: optional(string, 'HTTP method in lower case, such as get.'),
	},
);

const ATTRIBUTES = {
	resourceAttributes: optional(
		resourceAttributesSchema,
		'Action on a resource. Exactly one of resourceAttributes and nonResourceAttributes must be set.',
	),
	nonResourceAttributes: optional(
		nonResourceAttributesSchema,
		'Request for another path. Exactly one of resourceAttributes and nonResourceAttributes must be set.',
	),
};

/** Schema of the spec of a SelfSubjectAccessReview. */
export const selfAccessSpecSchema = object(
	'io.k8s.api.authorization.v1.SelfSubjectAccessReviewSpec',
	'The action in question.',
	ATTRIBUTES,
);

/** The action in question. */
export type SelfAccessSpec = Infer<typeof selfAccessSpecSchema>;

/** Schema of the spec of a SubjectAccessReview. */
export const accessSpecSchema = object(
	'io.k8s.api.authorization.v1.SubjectAccessReviewSpec',
	'The action in question, and its user.',
	{
		...ATTRIBUTES,
		user: optional(string, 'Name of the user. At least one of user and groups must be set.'),
		groups: optional(list(string), 'Groups of the user. Those that authentication adds are not implied.'),
		extra: optional(map(list(string)), 'Further properties of the user, as authentication finds them.'),
		uid: optional(string, 'Identifier that tells users of the same name at different times apart.'),
	},
);

/** The action in question, and its user. */
export type AccessSpec = Infer<typeof accessSpecSchema>;
