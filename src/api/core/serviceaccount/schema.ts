import { objectMetaSchema } from '../../meta/object-meta.ts';
import {
	boolean,
	type Infer,
	list,
	mapList,
	nullable,
	object,
	optional,
	required,
	string,
} from '../../schema/schema.ts';
import { localObjectReferenceSchema, objectReferenceSchema } from '../pod/schema/reference.ts';

/** Schema of v1.ServiceAccount. */
export const serviceAccountSchema = object(
	'io.k8s.api.core.v1.ServiceAccount',
	'Identity of the processes in Pods, with which they authenticate to the API. Every namespace has one named default.',
	{
		apiVersion: required(string, 'Version of the API: v1.'),
		kind: required(string, 'Kind of the object: ServiceAccount.'),
		metadata: required(objectMetaSchema, 'Standard object metadata: name, namespace, labels, annotations.'),
		secrets: optional(
			mapList(objectReferenceSchema, ['name']),
			'Secrets that Pods of this account may use, if the annotation kubernetes.io/enforce-mountable-secrets is true.',
		),
		imagePullSecrets: optional(
			list(localObjectReferenceSchema),
			'Secrets with credentials for pulling images, for Pods of this account that name none themselves.',
		),
		automountServiceAccountToken: nullable(
			boolean,
			'Whether Pods of this account get a token mounted. Default true; a Pod can set its own value.',
		),
	},
);

/** Identity of the processes in Pods. */
export type ServiceAccount = Infer<typeof serviceAccountSchema>;
