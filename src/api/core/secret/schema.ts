import { objectMetaSchema } from '../../meta/object-meta.ts';
import {
	boolean,
	bytes,
	type Infer,
	map,
	nullable,
	object,
	optional,
	required,
	string,
} from '../../schema/schema.ts';

/** Schema of v1.Secret. */
export const secretSchema = object(
	'io.k8s.api.core.v1.Secret',
	'Private data, such as passwords and keys, that Pods read as environment variables or files. At most 1 MiB.',
	{
		apiVersion: required(string, 'Version of the API: v1.'),
		kind: required(string, 'Kind of the object: Secret.'),
		metadata: required(objectMetaSchema, 'Standard object metadata: name, namespace, labels, annotations.'),
		immutable: nullable(
			boolean,
			'If true, data cannot be changed, and this field cannot be unset: only metadata can be updated.',
		),
		data: optional(
			map(bytes),
			"Values by key, written in base64. Keys consist of letters, digits, '-', '_' and '.'.",
		),
		stringData: optional(
			map(string),
			'Values by key as plain text. Write-only: the server stores them in data, where they replace values of the same key.',
		),
		type: optional(
			string,
			'Purpose of the Secret, which determines the keys that it must have. Default Opaque, which requires none. Cannot be changed.',
		),
	},
);

/** Private data that Pods read as environment variables or files. */
export type Secret = Infer<typeof secretSchema>;
