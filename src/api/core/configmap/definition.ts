import { bytesInBase64 } from '../../../base/base64.ts';
import type { ResourceDefinition } from '../../contract/resource-definition.ts';
import { fieldInvalid, malformed, tooLong } from '../../errors/field-errors.ts';
import { type FieldError, FieldPath } from '../../errors/field-path.ts';
import { ageColumn, nameColumn } from '../../meta/columns.ts';
import { configMapKey, dns1123Subdomain, utf8Length } from '../../meta/names.ts';
import { validateMeta, validateMetaUpdate } from '../../meta/validate-meta.ts';
import { keptWhileImmutable } from './immutable-data.ts';
import { type ConfigMap, configMapSchema } from './schema.ts';

const META = new FieldPath('metadata');
const DATA = new FieldPath('data');
const BINARY = new FieldPath('binaryData');
const RULES = { namespaced: true, name: dns1123Subdomain };

/** Maximum number of bytes of all values of a ConfigMap, and of a Secret (upstream: `MaxSecretSize`). */
export const MAX_DATA_BYTES = 1024 * 1024;

/**
 * v1 ConfigMaps: registry definition and validation. Upstream: pkg/registry/core/configmap, and
 * `ValidateConfigMap` in pkg/apis/core/validation.
 */
export const configMaps: ResourceDefinition<ConfigMap> = {
	group: '',
	version: 'v1',
	kind: 'ConfigMap',
	resource: 'configmaps',
	singular: 'configmap',
	shortNames: ['cm'],
	categories: [],
	namespaced: true,
	schema: configMapSchema,
	defaults: (given) => given,
	strategy: {
		prepareForCreate: (given) => given,
		prepareForUpdate: (given) => given,
		validateCreate: validateConfigMap,
		validateUpdate: (given, old) => [
			...validateMetaUpdate(given.metadata, old.metadata, META),
			...keptWhileImmutable(given, old, ['data', 'binaryData']),
			...validateConfigMap(given),
		],
		allowUnconditionalUpdate: true,
	},
	columns: [
		nameColumn(),
		{
			name: 'Data',
			type: 'string',
			description: 'Number of keys in data and binaryData.',
			priority: 0,
			cell: ({ data = {}, binaryData = {} }) => Object.keys(data).length + Object.keys(binaryData).length,
		},
		ageColumn(),
	],
	selectableFields: () => ({}),
	deletion: { defaultPropagation: 'Background' },
};

/** A key may be in one of the two maps only, since both become files of the same directory. */
function validateConfigMap({ metadata, data = {}, binaryData = {} }: ConfigMap): readonly FieldError[] {
	const errors: FieldError[] = [...validateMeta(metadata, RULES, META)];
	let sizeBytes = 0;
	for (const [key, value] of Object.entries(data)) {
		const path = DATA.key(key);
		errors.push(...malformed(path, key, configMapKey(key)));
		if (Object.hasOwn(binaryData, key)) {
			errors.push(fieldInvalid(path, key, 'duplicate of key present in binaryData'));
		}
		sizeBytes += utf8Length(value);
	}
	for (const [key, value] of Object.entries(binaryData)) {
		errors.push(...malformed(BINARY.key(key), key, configMapKey(key)));
		sizeBytes += bytesInBase64(value);
	}
	// The empty path stands for the whole object, as upstream.
	if (sizeBytes > MAX_DATA_BYTES) errors.push(tooLong(new FieldPath(), MAX_DATA_BYTES));
	return errors;
}
