import { base64OfText } from '../../../base/base64.ts';
import type { ResourceDefinition } from '../../contract/resource-definition.ts';
import { immutable } from '../../errors/field-errors.ts';
import { FieldPath } from '../../errors/field-path.ts';
import { ageColumn, nameColumn, textColumn } from '../../meta/columns.ts';
import { validateMetaUpdate } from '../../meta/validate-meta.ts';
import { keptWhileImmutable } from '../configmap/immutable-data.ts';
import { type Secret, secretSchema } from './schema.ts';
import { tlsWarnings } from './tls-warnings.ts';
import { validateSecret } from './validation.ts';

/**
 * v1 Secrets: registry definition, defaults and printer columns. Upstream: pkg/registry/core/secret,
 * `SetDefaults_Secret` and the conversion of `stringData` in pkg/apis/core/v1. No column, warning or error
 * shows a value.
 */
export const secrets: ResourceDefinition<Secret> = {
	group: '',
	version: 'v1',
	kind: 'Secret',
	resource: 'secrets',
	singular: 'secret',
	shortNames: [],
	categories: [],
	namespaced: true,
	schema: secretSchema,
	defaults: withDefaultType,
	isConfidential: true,
	strategy: {
		prepareForCreate: (given) => given,
		prepareForUpdate: (given) => given,
		validateCreate: validateSecret,
		validateUpdate: (given, old) => [
			...validateMetaUpdate(given.metadata, old.metadata, new FieldPath('metadata')),
			...(given.type === old.type ? [] : [immutable(new FieldPath('type'), given.type ?? '')]),
			...keptWhileImmutable(given, old, ['data']),
			...validateSecret(given),
		],
		warnings: tlsWarnings,
		allowUnconditionalUpdate: true,
	},
	columns: [
		nameColumn(),
		textColumn('Type', 'Purpose of the Secret, such as Opaque.', ({ type = '' }) => type),
		textColumn('Data', 'Number of keys in data.', ({ data = {} }) => Object.keys(data).length),
		ageColumn(),
	],
	selectableFields: ({ type = '' }) => ({ type }),
	deletion: { defaultPropagation: 'Background' },
};

/** Sets the type, and moves `stringData` into `data`: the stored object never has it. */
function withDefaultType(given: Secret): Secret {
	const { stringData, ...rest } = given;
	if (!stringData) return given.type ? given : { ...given, type: 'Opaque' };
	const written = Object.entries(stringData).map(([key, text]) => [key, base64OfText(text)]);
	return { ...rest, data: { ...rest.data, ...Object.fromEntries(written) }, type: rest.type || 'Opaque' };
}
