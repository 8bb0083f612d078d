import { ageColumn, nameColumn } from '../../meta/columns.ts';
import type { FieldError } from '../../meta/field.ts';
import { FieldPath } from '../../meta/field.ts';
import { duplicate, invalid } from '../../meta/field-errors.ts';
import { dns1123Label, qualifiedName } from '../../meta/names.ts';
import type { ResourceDefinition } from '../../meta/resource.ts';
import { validateMeta, validateMetaUpdate } from '../../meta/validate-meta.ts';
import { type Namespace, namespaceSchema } from './schema.ts';

const META = new FieldPath('metadata');
const RULES = { namespaced: false, name: dns1123Label };

/** The label by which selectors can name a namespace. */
const NAME_LABEL = 'kubernetes.io/metadata.name';

/** v1 Namespaces. */
export const namespaces: ResourceDefinition<Namespace> = {
	group: '',
	version: 'v1',
	kind: 'Namespace',
	resource: 'namespaces',
	singular: 'namespace',
	shortNames: ['ns'],
	categories: [],
	namespaced: false,
	schema: namespaceSchema,
	defaults: (namespace) => {
		const { name } = namespace.metadata;
		if (!name || namespace.metadata.labels?.[NAME_LABEL] === name) return namespace;
		const labels = { ...namespace.metadata.labels, [NAME_LABEL]: name };
		return { ...namespace, metadata: { ...namespace.metadata, labels } };
	},
	strategy: {
		prepareForCreate: (namespace) => {
			const finalizers = new Set(namespace.spec.finalizers).add('kubernetes');
			return { ...namespace, spec: { finalizers: [...finalizers] }, status: { phase: 'Active' } };
		},
		prepareForUpdate: (namespace, old) => ({ ...namespace, spec: old.spec, status: old.status }),
		validateCreate: (namespace) => [
			...validateMeta(namespace.metadata, RULES, META),
			...validateFinalizers(namespace.spec.finalizers ?? []),
		],
		validateUpdate: (namespace, old) => validateMetaUpdate(namespace.metadata, old.metadata, META),
		allowUnconditionalUpdate: true,
	},
	status: {
		prepareForUpdate: (namespace, old) => ({ ...namespace, spec: old.spec }),
		validateUpdate: (namespace, old) => [
			...validateMetaUpdate(namespace.metadata, old.metadata, META),
			...validatePhase(namespace),
		],
	},
	columns: [
		nameColumn(),
		{
			name: 'Status',
			type: 'string',
			description: 'Active, or Terminating once it is deleted.',
			priority: 0,
			cell: ({ status }) => status.phase ?? '',
		},
		ageColumn(),
	],
	selectableFields: ({ metadata, status }) => ({
		'metadata.name': metadata.name ?? '',
		name: metadata.name ?? '',
		'status.phase': status.phase ?? '',
	}),
	deletion: { defaultPropagation: 'Background' },
};

function validateFinalizers(finalizers: readonly string[]): readonly FieldError[] {
	const path = new FieldPath('spec').child('finalizers');
	return finalizers.flatMap((finalizer, index) => {
		const errors = qualifiedName(finalizer).map((text) => invalid(path.index(index), finalizer, text));
		return finalizers.indexOf(finalizer) < index
			? [...errors, duplicate(path.index(index), finalizer)]
			: errors;
	});
}

function validatePhase({ metadata, status }: Namespace): readonly FieldError[] {
	const path = new FieldPath('status').child('Phase');
	if (metadata.deletionTimestamp === undefined && status.phase !== 'Active') {
		return [invalid(path, status.phase ?? '', 'may only be `Active` if `deletionTimestamp` is empty')];
	}
	if (metadata.deletionTimestamp !== undefined && status.phase !== 'Terminating') {
		return [
			invalid(path, status.phase ?? '', 'may only be `Terminating` if `deletionTimestamp` is not empty'),
		];
	}
	return [];
}
