import type { ResourceDefinition } from '../../contract/resource-definition.ts';
import { fieldInvalid, malformed } from '../../errors/field-errors.ts';
import { type FieldError, FieldPath, SPEC } from '../../errors/field-path.ts';
import { ageColumn, nameColumn } from '../../meta/columns.ts';
import { dns1123Label, qualifiedName } from '../../meta/names.ts';
import { validateFinalizerOwner, validateMeta, validateMetaUpdate } from '../../meta/validate-meta.ts';
import { withDefaultsForZeros, withField } from '../../schema/defaults.ts';
import { type Namespace, namespaceSchema } from './schema.ts';

const META = new FieldPath('metadata');
/** Names of Namespaces are DNS labels, since they are part of DNS names of Services (upstream: `ValidateNamespaceName`). */
const RULES = { namespaced: false, name: dns1123Label };

/** Label with the name of the Namespace, so that label selectors can select a Namespace by its name. */
const NAME_LABEL = 'kubernetes.io/metadata.name';

/** The default phase of an object that a client sends without a status. */
const ACTIVE = { phase: 'Active' } as const;

/**
 * v1 Namespaces: registry definition, validation and printer columns (upstream: pkg/registry/core/namespace).
 * A new Namespace gets the finalizer `kubernetes` in its spec. The namespace controller removes it once it
 * has deleted all objects in the Namespace; only then is the Namespace itself removed.
 */
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
		const active = withField(namespace, 'status', (status) => withDefaultsForZeros(status, ACTIVE));
		if (!name || namespace.metadata.labels?.[NAME_LABEL] === name) return active;
		const labels = { ...namespace.metadata.labels, [NAME_LABEL]: name };
		return { ...active, metadata: { ...namespace.metadata, labels } };
	},
	strategy: {
		prepareForCreate: (namespace) => {
			const finalizers = new Set(namespace.spec.finalizers).add('kubernetes');
			return { ...namespace, spec: { finalizers: [...finalizers] }, status: { phase: 'Active' } };
		},
		// The spec has only finalizers, which change by the subresource `finalize`, so that an update cannot skip the deletion
		// of the content.
		prepareForUpdate: (namespace, old) => ({ ...namespace, spec: old.spec, status: old.status }),
		validateCreate: validateNamespace,
		validateUpdate: (namespace, old) => [
			...validateNamespace(namespace),
			...validateMetaUpdate(namespace.metadata, old.metadata, META),
		],
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
			description: 'Active, or Terminating once the Namespace is being deleted.',
			priority: 0,
			cell: ({ status }) => status.phase ?? '',
		},
		ageColumn(),
	],
	selectableFields: ({ metadata, status }) => ({
		// `name` without `metadata.` is a mistake in early versions of Kubernetes that clients rely on.
		name: metadata.name ?? '',
		'status.phase': status.phase ?? '',
	}),
	deletion: { defaultPropagation: 'Background' },
};

/** Upstream: `ValidateNamespace`. Finalizers in the spec have the same form as those in the metadata. */
function validateNamespace({ metadata, spec }: Namespace): readonly FieldError[] {
	const path = SPEC.child('finalizers');
	return [
		...validateMeta(metadata, RULES, META),
		...(spec.finalizers ?? []).flatMap((finalizer) => [
			...malformed(path, finalizer, qualifiedName(finalizer)),
			...validateFinalizerOwner(finalizer, path),
		]),
	];
}

/** The phase must agree with the deletion: Terminating if and only if deletionTimestamp is set. */
function validatePhase({ metadata, status }: Namespace): readonly FieldError[] {
	const path = new FieldPath('status').child('Phase');
	if (metadata.deletionTimestamp === undefined && status.phase !== 'Active') {
		return [fieldInvalid(path, status.phase ?? '', "may only be 'Active' if `deletionTimestamp` is empty")];
	}
	if (metadata.deletionTimestamp !== undefined && status.phase !== 'Terminating') {
		return [
			fieldInvalid(path, status.phase ?? '', "may only be 'Terminating' if `deletionTimestamp` is not empty"),
		];
	}
	return [];
}
