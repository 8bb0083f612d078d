import type {
	ResourceDefinition,
	Strategy,
	SubresourceStrategy,
} from '../../contract/resource-definition.ts';
import { templateColumns } from '../../core/pod/columns.ts';
import { defaultPodTemplate } from '../../core/pod/defaults.ts';
import { disabledTemplateWarnings, specWithoutDisabledFields } from '../../core/pod/disabled-fields.ts';
import { fieldInvalid, immutable } from '../../errors/field-errors.ts';
import { type FieldError, FieldPath, SPEC } from '../../errors/field-path.ts';
import { ageColumn, nameColumn, textColumn, wideColumn } from '../../meta/columns.ts';
import { generationAfter, withNextSpec } from '../../meta/generation.ts';
import { dns1123Subdomain } from '../../meta/names.ts';
import { selectorOf, selectorText } from '../../meta/selector.ts';
import { validateMeta, validateMetaUpdate } from '../../meta/validate-meta.ts';
import { withDefaults, withField } from '../../schema/defaults.ts';
import { semanticEqual } from '../../schema/equality.ts';
import { validateReplicaCounts } from '../status-validation.ts';
import { workloadWarnings } from '../workload-warnings.ts';
import { type Deployment, deploymentSchema } from './schema.ts';
import { validateDeploymentSpec } from './validation.ts';

const META = new FieldPath('metadata');
const RULES = { namespaced: true, name: dns1123Subdomain };
const COUNTS = [
	...(['observedGeneration', 'replicas', 'updatedReplicas', 'readyReplicas'] as const),
	...(['availableReplicas', 'unavailableReplicas', 'terminatingReplicas', 'collisionCount'] as const),
];

/**
 * Upstream: deploymentStrategy in pkg/registry/apps/deployment. A change of the annotations counts as a new generation
 * too, since the controller copies them to the ReplicaSet.
 */
const strategy: Strategy<Deployment> = {
	prepareForCreate: (deployment) => ({
		...deployment,
		metadata: { ...deployment.metadata, generation: 1 },
		spec: specWithoutDisabledFields(deployment.spec),
		status: {},
	}),
	prepareForUpdate: (deployment, old) => {
		const spec = specWithoutDisabledFields(deployment.spec, old.spec);
		const next = withNextSpec(deployment, old, spec);
		const isAnnotated = !semanticEqual(deployment.metadata.annotations, old.metadata.annotations);
		const generation = generationAfter(old.metadata, isAnnotated || next.spec !== old.spec);
		return { ...next, metadata: { ...next.metadata, generation } };
	},
	validateCreate: (deployment) => [
		...validateMeta(deployment.metadata, RULES, META),
		...validateDeploymentSpec(deployment.spec),
	],
	validateUpdate: (deployment, old) => [
		...validateMetaUpdate(deployment.metadata, old.metadata, META),
		...(deployment.spec === old.spec ? [] : validateDeploymentSpec(deployment.spec)),
		...(semanticEqual(deployment.spec.selector, old.spec.selector)
			? []
			: [immutable(SPEC.child('selector'), deployment.spec.selector)]),
	],
	warnings: (deployment, old) => workloadWarnings(deployment, old, deployment.spec.template),
	droppedFields: ({ spec }, old) => disabledTemplateWarnings(spec, old?.spec),
	allowUnconditionalUpdate: true,
};

/** An update of the status may set annotations, by which the controller writes the revision, but no labels. */
const status: SubresourceStrategy<Deployment> = {
	prepareForUpdate: (deployment, old) => {
		const { labels: _own, ...metadata } = deployment.metadata;
		const { labels } = old.metadata;
		return { ...deployment, metadata: { ...metadata, ...(labels && { labels }) }, spec: old.spec };
	},
	validateUpdate: (deployment, old) => [
		...validateMetaUpdate(deployment.metadata, old.metadata, META),
		...validateReplicaCounts(deployment.status, COUNTS, 'updatedReplicas'),
		...validateCollisions(deployment.status.collisionCount ?? 0, old.status.collisionCount ?? 0),
	],
};

/**
 * apps/v1 Deployments: what clients may send, and how the server completes, checks and prints it (upstream:
 * pkg/registry/apps/deployment and pkg/apis/apps). plan/deployment decides what they do.
 */
export const deployments: ResourceDefinition<Deployment> = {
	group: 'apps',
	version: 'v1',
	kind: 'Deployment',
	resource: 'deployments',
	singular: 'deployment',
	shortNames: ['deploy'],
	categories: ['all'],
	namespaced: true,
	schema: deploymentSchema,
	defaults: (deployment) => withField(deployment, 'spec', defaultSpec),
	strategy,
	status,
	scale: {
		replicasOf: ({ spec }) => spec.replicas ?? 0,
		observedOf: ({ status: { replicas = 0 } }) => replicas,
		selectorOf: ({ spec }) => selectorText(selectorOf(spec.selector)),
		withReplicas: (deployment, replicas) => ({ ...deployment, spec: { ...deployment.spec, replicas } }),
	},
	columns: [
		nameColumn(),
		textColumn(
			'Ready',
			'Number of ready Pods out of those desired.',
			({ spec, status: observed }) => `${observed.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
		),
		// Upstream declares the two numbers as text.
		countColumn('Up-to-date', 'Number of Pods of the current template.', (each) => each.updatedReplicas),
		countColumn('Available', 'Number of available Pods.', (each) => each.availableReplicas),
		ageColumn(),
		...templateColumns<Deployment>(({ spec }) => spec.template),
		wideColumn('Selector', 'Label selector for the Pods of the Deployment.', ({ spec }) =>
			selectorText(selectorOf(spec.selector)),
		),
	],
	selectableFields: () => ({}),
	deletion: { defaultPropagation: 'Background' },
};

const QUARTER = { maxUnavailable: '25%', maxSurge: '25%' };
const DEFAULTS: Partial<Deployment['spec']> = {
	replicas: 1,
	strategy: { type: 'RollingUpdate', rollingUpdate: QUARTER },
	revisionHistoryLimit: 10,
	progressDeadlineSeconds: 600,
};

/** Upstream: SetDefaults_Deployment. */
function defaultSpec(given: Deployment['spec']): Deployment['spec'] {
	const spec = withField(withDefaults(given, DEFAULTS), 'strategy', (named) => {
		const typed = withDefaults(named, { type: 'RollingUpdate' });
		if (typed.type !== 'RollingUpdate') return typed;
		const limited = withDefaults(typed, { rollingUpdate: QUARTER });
		return withField(limited, 'rollingUpdate', (limits) => withDefaults(limits, QUARTER));
	});
	return withField(spec, 'template', defaultPodTemplate);
}

function validateCollisions(count: number, old: number): readonly FieldError[] {
	if (count >= old) return [];
	return [fieldInvalid(new FieldPath('status').child('collisionCount'), count, 'cannot be decremented')];
}

function countColumn(
	name: string,
	description: string,
	countOf: (status: Deployment['status']) => number | undefined,
): (typeof deployments.columns)[number] {
	const cell = (deployment: Deployment): number => countOf(deployment.status) ?? 0;
	return { name, type: 'string', priority: 0, description, cell };
}
