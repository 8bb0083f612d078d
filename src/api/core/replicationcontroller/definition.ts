import { replicaColumns } from '../../apps/replica-columns.ts';
import { validateReplicaCounts } from '../../apps/status-validation.ts';
import { validateReplicaTemplate } from '../../apps/template-validation.ts';
import { workloadWarnings } from '../../apps/workload-warnings.ts';
import type {
	ResourceDefinition,
	Strategy,
	SubresourceStrategy,
} from '../../contract/resource-definition.ts';
import { fieldRequired, nonNegative } from '../../errors/field-errors.ts';
import { type FieldError, FieldPath, SPEC } from '../../errors/field-path.ts';
import { wideColumn } from '../../meta/columns.ts';
import { withNextSpec } from '../../meta/generation.ts';
import { dns1123Subdomain } from '../../meta/names.ts';
import { labelSelectorText, selectorOf, selectorText } from '../../meta/selector.ts';
import { validateMeta, validateMetaUpdate } from '../../meta/validate-meta.ts';
import { withDefaults, withField } from '../../schema/defaults.ts';
import { templateColumns } from '../pod/columns.ts';
import { defaultPodTemplate } from '../pod/defaults.ts';
import { disabledTemplateWarnings, specWithoutDisabledFields } from '../pod/disabled-fields.ts';
import { type ReplicationController, replicationControllerSchema } from './schema.ts';

const META = new FieldPath('metadata');
const RULES = { namespaced: true, name: dns1123Subdomain };
const COUNTS = [
	...(['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'] as const),
	'observedGeneration' as const,
];

/** Upstream: rcStrategy in pkg/registry/core/replicationcontroller. Unlike that of a ReplicaSet, the selector may change. */
const strategy: Strategy<ReplicationController> = {
	prepareForCreate: (controller) => ({
		...controller,
		metadata: { ...controller.metadata, generation: 1 },
		spec: specWithoutDisabledFields(controller.spec),
		status: { replicas: 0 },
	}),
	prepareForUpdate: (controller, old) =>
		withNextSpec(controller, old, specWithoutDisabledFields(controller.spec, old.spec)),
	validateCreate: (controller) => [
		...validateMeta(controller.metadata, RULES, META),
		...validateSpec(controller.spec),
	],
	validateUpdate: (controller, old) => [
		...validateMetaUpdate(controller.metadata, old.metadata, META),
		...(controller.spec === old.spec ? [] : validateSpec(controller.spec)),
	],
	warnings: (controller, old) => workloadWarnings(controller, old, controller.spec.template),
	droppedFields: ({ spec }, old) => disabledTemplateWarnings(spec, old?.spec),
	allowUnconditionalUpdate: true,
};

const status: SubresourceStrategy<ReplicationController> = {
	prepareForUpdate: (controller, old) => ({ ...controller, spec: old.spec }),
	validateUpdate: (controller, old) => [
		...validateMetaUpdate(controller.metadata, old.metadata, META),
		...validateReplicaCounts(controller.status, COUNTS, 'fullyLabeledReplicas'),
	],
};

/**
 * core/v1 ReplicationControllers, the predecessors of ReplicaSets (upstream: pkg/registry/core/replicationcontroller).
 * The controller of ReplicaSets runs them too.
 */
export const replicationControllers: ResourceDefinition<ReplicationController> = {
	group: '',
	version: 'v1',
	kind: 'ReplicationController',
	resource: 'replicationcontrollers',
	singular: 'replicationcontroller',
	shortNames: ['rc'],
	categories: ['all'],
	namespaced: true,
	schema: replicationControllerSchema,
	defaults: defaultController,
	strategy,
	status,
	scale: {
		replicasOf: ({ spec }) => spec.replicas ?? 0,
		observedOf: ({ status: { replicas } }) => replicas,
		selectorOf: ({ spec }) => selectorText(selectorOf({ matchLabels: spec.selector ?? {} })),
		withReplicas: (controller, replicas) => ({ ...controller, spec: { ...controller.spec, replicas } }),
	},
	columns: [
		...replicaColumns<ReplicationController>(),
		...templateColumns<ReplicationController>(({ spec }) => spec.template),
		wideColumn('Selector', 'Labels of the Pods of the ReplicationController.', ({ spec }) =>
			labelSelectorText({ matchLabels: spec.selector ?? {} }),
		),
	],
	selectableFields: ({ status: { replicas } }) => ({ 'status.replicas': String(replicas) }),
	// As upstream for this version of the API: its clients once deleted the Pods themselves.
	deletion: { defaultPropagation: 'Orphan' },
};

const DEFAULTS: Partial<ReplicationController['spec']> = { replicas: 1 };

/** Upstream: SetDefaults_ReplicationController. */
function defaultController(given: ReplicationController): ReplicationController {
	const controller = withField(given, 'spec', (spec) =>
		withField(withDefaults(spec, DEFAULTS), 'template', defaultPodTemplate),
	);
	const labels = controller.spec.template?.metadata?.labels;
	if (!labels) return controller;
	const selected = withField(controller, 'spec', (spec) =>
		isEmpty(spec.selector) ? { ...spec, selector: labels } : spec,
	);
	if (!isEmpty(selected.metadata.labels)) return selected;
	return { ...selected, metadata: { ...selected.metadata, labels } };
}

function isEmpty(labels: Readonly<Record<string, string>> | undefined): boolean {
	return Object.keys(labels ?? {}).length === 0;
}

/** Upstream: ValidateReplicationControllerSpec. */
function validateSpec(spec: ReplicationController['spec']): readonly FieldError[] {
	const { replicas = 0, minReadySeconds = 0, selector = {}, template } = spec;
	return [
		...nonNegative(SPEC.child('minReadySeconds'), minReadySeconds),
		...(isEmpty(selector) ? [fieldRequired(SPEC.child('selector'))] : []),
		...nonNegative(SPEC.child('replicas'), replicas),
		...validateReplicaTemplate(template, selectorOf({ matchLabels: selector }), 'ReplicationController'),
	];
}
