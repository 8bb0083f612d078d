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

/** Schema of v1.ConfigMap. */
export const configMapSchema = object(
	'io.k8s.api.core.v1.ConfigMap',
	'Configuration that Pods read as environment variables or files. At most 1 MiB; use a Secret for what must stay private.',
	{
		apiVersion: required(string, 'Version of the API: v1.'),
		kind: required(string, 'Kind of the object: ConfigMap.'),
		metadata: required(objectMetaSchema, 'Standard object metadata: name, namespace, labels, annotations.'),
		immutable: nullable(
			boolean,
			'If true, data and binaryData cannot be changed, and this field cannot be unset: only metadata can be updated.',
		),
		data: optional(
			map(string),
			"Text values by key. Keys consist of letters, digits, '-', '_' and '.', and none of them may also be in binaryData.",
		),
		binaryData: optional(
			map(bytes),
			'Values by key that need not be UTF-8 text, written in base64. Environment variables cannot refer to them.',
		),
	},
);

/** Configuration that Pods read as environment variables or files. */
export type ConfigMap = Infer<typeof configMapSchema>;
