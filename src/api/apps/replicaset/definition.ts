import type {
	ResourceDefinition,
	Strategy,
	SubresourceStrategy,
} from '../../contract/resource-definition.ts';
import { templateColumns } from '../../core/pod/columns.ts';
import { defaultPodTemplate } from '../../core/pod/defaults.ts';
import { disabledTemplateWarnings, specWithoutDisabledFields } from '../../core/pod/disabled-fields.ts';
import { immutable, nonNegative } from '../../errors/field-errors.ts';
import { type FieldError, FieldPath, SPEC } from '../../errors/field-path.ts';
import { wideColumn } from '../../meta/columns.ts';
import { withNextSpec } from '../../meta/generation.ts';
import { dns1123Subdomain } from '../../meta/names.ts';
import { labelSelectorText, selectorOf, selectorText } from '../../meta/selector.ts';
import { validateMeta, validateMetaUpdate } from '../../meta/validate-meta.ts';
import { withDefaults, withField } from '../../schema/defaults.ts';
import { semanticEqual } from '../../schema/equality.ts';
import { replicaColumns } from '../replica-columns.ts';
import { validateReplicaCounts } from '../status-validation.ts';
import { validateSelectorAndTemplate } from '../template-validation.ts';
import { workloadWarnings } from '../workload-warnings.ts';
import { type ReplicaSet, replicaSetSchema } from './schema.ts';

const META = new FieldPath('metadata');
const RULES = { namespaced: true, name: dns1123Subdomain };
const DEFAULTS: Partial<ReplicaSet['spec']> = { replicas: 1 };

/** Upstream: rsStrategy in pkg/registry/apps/replicaset. */
const strategy: Strategy<ReplicaSet> = {
	prepareForCreate: (set) => ({
		...set,
		metadata: { ...set.metadata, generation: 1 },
		spec: specWithoutDisabledFields(set.spec),
		status: { replicas: 0 },
	}),
	prepareForUpdate: (set, old) => withNextSpec(set, old, specWithoutDisabledFields(set.spec, old.spec)),
	validateCreate: (set) => [...validateMeta(set.metadata, RULES, META), ...validateSpec(set.spec)],
	validateUpdate: (set, old) => [
		...validateMetaUpdate(set.metadata, old.metadata, META),
		...(set.spec === old.spec ? [] : validateSpec(set.spec)),
		...(semanticEqual(set.spec.selector, old.spec.selector)
			? []
			: [immutable(SPEC.child('selector'), set.spec.selector)]),
	],
	warnings: (set, old) => workloadWarnings(set, old, set.spec.template),
	droppedFields: ({ spec }, old) => disabledTemplateWarnings(spec, old?.spec),
	allowUnconditionalUpdate: true,
};

const status: SubresourceStrategy<ReplicaSet> = {
	prepareForUpdate: (set, old) => ({ ...set, spec: old.spec }),
	validateUpdate: (set, old) => [
		...validateMetaUpdate(set.metadata, old.metadata, META),
		...validateReplicaCounts(
			set.status,
			[
				...(['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'] as const),
				...(['observedGeneration', 'terminatingReplicas'] as const),
			],
			'fullyLabeledReplicas',
		),
	],
};

/**
 * apps/v1 ReplicaSets: what clients may send, and how the server completes, checks and prints it (upstream:
 * pkg/registry/apps/replicaset and pkg/apis/apps). plan/replicaset decides what they do.
 */
export const replicaSets: ResourceDefinition<ReplicaSet> = {
	group: 'apps',
	version: 'v1',
	kind: 'ReplicaSet',
	resource: 'replicasets',
	singular: 'replicaset',
	shortNames: ['rs'],
	categories: ['all'],
	namespaced: true,
	schema: replicaSetSchema,
	defaults: (set) =>
		withField(set, 'spec', (spec) => withField(withDefaults(spec, DEFAULTS), 'template', defaultPodTemplate)),
	strategy,
	status,
	scale: {
		replicasOf: ({ spec }) => spec.replicas ?? 0,
		observedOf: ({ status: { replicas } }) => replicas,
		selectorOf: ({ spec }) => selectorText(selectorOf(spec.selector)),
		withReplicas: (set, replicas) => ({ ...set, spec: { ...set.spec, replicas } }),
	},
	columns: [
		...replicaColumns<ReplicaSet>(),
		...templateColumns<ReplicaSet>(({ spec }) => spec.template),
		wideColumn('Selector', 'Label selector for the Pods of the ReplicaSet.', ({ spec }) =>
			labelSelectorText(spec.selector),
		),
	],
	selectableFields: ({ status: { replicas } }) => ({ 'status.replicas': String(replicas) }),
	deletion: { defaultPropagation: 'Background' },
};

function validateSpec(spec: ReplicaSet['spec']): readonly FieldError[] {
	return [
		...nonNegative(SPEC.child('replicas'), spec.replicas ?? 0),
		...nonNegative(SPEC.child('minReadySeconds'), spec.minReadySeconds ?? 0),
		...validateSelectorAndTemplate(spec),
	];
}
