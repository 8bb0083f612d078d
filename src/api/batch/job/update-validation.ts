import type { PodSpec, PodTemplateSpec } from '../../core/pod/schema.ts';
import { semanticEqual } from '../../meta/equality.ts';
import type { FieldError } from '../../meta/field.ts';
import { FieldPath } from '../../meta/field.ts';
import { immutable, invalid } from '../../meta/field-errors.ts';
import { validateMetaUpdate } from '../../meta/validate-meta.ts';
import { CONTROLLER_UID_LABEL, expectedLabels, JOB_NAME_LABEL } from './labels.ts';
import type { Job } from './schema.ts';
import { SPEC, validateGeneratedSelector, validateSpecWithSelector } from './validation.ts';

const IMMUTABLE = [
	'selector',
	'completionMode',
	'podFailurePolicy',
	'backoffLimitPerIndex',
	'managedBy',
	'successPolicy',
] as const;

/** What is wrong with a change of a Job, in upstream's order. */
export function validateJobUpdate(job: Job, old: Job): readonly FieldError[] {
	const meta = validateMetaUpdate(job.metadata, old.metadata, new FieldPath('metadata'));
	if (job.spec === old.spec) return meta;
	const errors = [
		...validateGeneratedSelector(job, labelsToKeep(old)),
		...meta,
		...validateSpecWithSelector(job),
		...validateCompletions(job, old),
	];
	for (const field of IMMUTABLE) {
		if (semanticEqual(job.spec[field], old.spec[field])) continue;
		errors.push(immutable(SPEC.child(field), job.spec[field]));
	}
	return [...errors, ...validateTemplateChange(job, old)];
}

/** Jobs from before the prefixed labels need not have them. */
function labelsToKeep(old: Job): readonly (readonly [string, string])[] {
	const labels = old.spec.template.metadata?.labels ?? {};
	const prefixed = CONTROLLER_UID_LABEL in labels && JOB_NAME_LABEL in labels;
	return expectedLabels(old).filter(([key]) => prefixed || !key.includes('/'));
}

/** Completions are fixed, but an Indexed Job may grow and shrink together with its parallelism. */
function validateCompletions({ spec }: Job, { spec: old }: Job): readonly FieldError[] {
	if (spec.completions === old.completions) return [];
	const path = SPEC.child('completions');
	if (old.completionMode !== 'Indexed' || spec.completions === undefined)
		return [immutable(path, spec.completions ?? null)];
	if (spec.completions === spec.parallelism) return [];
	return [invalid(path, spec.completions, 'can only be modified in tandem with spec.parallelism')];
}

/**
 * The template is fixed, but what concerns scheduling and resources may change while the Job is at rest
 * (suspended, with no Pod active).
 */
function validateTemplateChange(job: Job, old: Job): readonly FieldError[] {
	const path = SPEC.child('template');
	const { template } = job.spec;
	if (semanticEqual(template, old.spec.template)) return [];
	if (!isAtRest(old)) return [immutable(path, template)];
	const restored = withOldScheduling(withOldResources(template, old.spec.template), old.spec.template);
	if (semanticEqual(restored, old.spec.template)) return [];
	const onlySpec = semanticEqual({ ...restored, spec: null }, { ...old.spec.template, spec: null });
	return onlySpec ? [immutable(path.child('spec'), template.spec)] : [immutable(path, template)];
}

function isAtRest({ spec, status }: Job): boolean {
	const suspended = status.conditions?.some(
		({ type, status: value }) => type === 'Suspended' && value === 'True',
	);
	return (
		spec.suspend === true &&
		(status.startTime === undefined || suspended === true) &&
		(status.active ?? 0) === 0
	);
}

function withOldScheduling(template: PodTemplateSpec, old: PodTemplateSpec): PodTemplateSpec {
	const { labels: _labels, annotations: _annotations, ...metadata } = template.metadata ?? {};
	const {
		nodeSelector: _selector,
		tolerations: _tolerations,
		schedulingGates: _gates,
		affinity,
		...spec
	} = template.spec;
	const { labels, annotations } = old.metadata ?? {};
	const { nodeSelector, tolerations, schedulingGates } = old.spec;
	return {
		...template,
		metadata: { ...metadata, ...(labels && { labels }), ...(annotations && { annotations }) },
		spec: {
			...spec,
			...(nodeSelector && { nodeSelector }),
			...(tolerations && { tolerations }),
			...(schedulingGates && { schedulingGates }),
			...affinityWithOldNodes(affinity, old.spec.affinity),
		},
	};
}

function affinityWithOldNodes(
	affinity: PodSpec['affinity'],
	old: PodSpec['affinity'],
): { readonly affinity?: NonNullable<PodSpec['affinity']> } {
	const { nodeAffinity: _, ...others } = affinity ?? {};
	const restored = { ...others, ...(old?.nodeAffinity && { nodeAffinity: old.nodeAffinity }) };
	return Object.keys(restored).length > 0 || old ? { affinity: restored } : {};
}

/** Containers are told apart by place and name. */
function withOldResources(template: PodTemplateSpec, old: PodTemplateSpec): PodTemplateSpec {
	const restore = (now: PodSpec['containers'], before: PodSpec['containers']): PodSpec['containers'] =>
		now.map((container, index) => {
			const match = before[index];
			if (match?.name !== container.name) return container;
			const { resources: _, ...rest } = container;
			return match.resources ? { ...rest, resources: match.resources } : rest;
		});
	const { containers, initContainers } = template.spec;
	return {
		...template,
		spec: {
			...template.spec,
			containers: restore(containers, old.spec.containers),
			...(initContainers && { initContainers: restore(initContainers, old.spec.initContainers ?? []) }),
		},
	};
}
