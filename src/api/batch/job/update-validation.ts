import type { PodSpec } from '../../core/pod/schema.ts';
import { semanticEqual } from '../../meta/equality.ts';
import type { FieldError } from '../../meta/field.ts';
import { FieldPath } from '../../meta/field.ts';
import { immutable, invalid } from '../../meta/field-errors.ts';
import { validateMetaUpdate } from '../../meta/validate-meta.ts';
import { CONTROLLER_UID_LABEL, expectedLabels, JOB_NAME_LABEL } from './labels.ts';
import type { Job, JobSpec } from './schema.ts';
import { SPEC, validateJob, validateSpecWithSelector } from './validation.ts';

/**
 * What is wrong with a change of a Job, in upstream's order. Upstream looks at the spec twice, as that of
 * a new Job and as that of a changed one, so that its errors are listed twice; so they are here.
 */
export function validateJobUpdate(job: Job, old: Job): readonly FieldError[] {
	const meta = validateMetaUpdate(job.metadata, old.metadata, new FieldPath('metadata'));
	if (job.spec === old.spec) return meta;
	return [
		...validateJob(job, labelsToKeep(old, job)),
		...meta,
		...validateSpecWithSelector(job),
		...validateCompletions(job, old),
		...validateUnchanged('selector', job, old),
		...validateTemplateChange(job, old),
		...validateUnchanged('completionMode', job, old),
		...validateUnchanged('podFailurePolicy', job, old),
		...validateUnchanged('backoffLimitPerIndex', job, old),
		...validateUnchanged('managedBy', job, old),
		...validateUnchanged('successPolicy', job, old),
	];
}

/** Jobs from before the prefixed labels need not have them. */
function labelsToKeep(old: Job, job: Job): readonly (readonly [string, string])[] {
	const labels = old.spec.template.metadata?.labels ?? {};
	const prefixed = CONTROLLER_UID_LABEL in labels && JOB_NAME_LABEL in labels;
	return expectedLabels(job).filter(([key]) => prefixed || !key.includes('/'));
}

function validateUnchanged(field: keyof JobSpec, { spec }: Job, { spec: old }: Job): readonly FieldError[] {
	return semanticEqual(spec[field], old[field]) ? [] : [immutable(SPEC.child(field), spec[field])];
}

/** Completions are fixed, but an Indexed Job may grow and shrink together with its parallelism. */
function validateCompletions(job: Job, old: Job): readonly FieldError[] {
	const { completions, parallelism, completionMode } = job.spec;
	if (completionMode !== 'Indexed') return validateUnchanged('completions', job, old);
	if (completions === old.spec.completions || completions === undefined || completions === parallelism) {
		return [];
	}
	return [
		invalid(SPEC.child('completions'), completions, 'can only be modified in tandem with spec.parallelism'),
	];
}

/**
 * The template is fixed. While the Job is at rest (suspended, with no Pod active) the resources of its
 * containers may change, and what concerns scheduling; its metadata is then not looked at.
 */
function validateTemplateChange({ spec }: Job, old: Job): readonly FieldError[] {
	const path = SPEC.child('template');
	if (!isAtRest(old)) {
		return semanticEqual(spec.template, old.spec.template) ? [] : [immutable(path, spec.template)];
	}
	const now = spec.template.spec;
	const before = withContainersOf(old.spec.template.spec, now);
	if (semanticEqual(withoutScheduling(now), withoutScheduling(before))) return [];
	return [immutable(path.child('spec'), now)];
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

/** What of a spec does not concern the choice of a node; affinity to other Pods is not among what may change. */
function withoutScheduling(spec: PodSpec): object {
	const { nodeSelector: _selector, tolerations: _tolerations, schedulingGates: _gates, ...rest } = spec;
	const { nodeAffinity: _nodes, ...affinity } = spec.affinity ?? {};
	return { ...rest, affinity };
}

/** `before` with the resources of `now`, container by container; they are told apart by place and name. */
function withContainersOf(before: PodSpec, now: PodSpec): PodSpec {
	const adopt = (old: PodSpec['containers'], next: PodSpec['containers']): PodSpec['containers'] => {
		if (old.length !== next.length) return old;
		return old.map((container, index) => {
			const match = next[index];
			if (match?.name !== container.name) return container;
			const { resources: _, ...rest } = container;
			return match.resources ? { ...rest, resources: match.resources } : rest;
		});
	};
	return {
		...before,
		containers: adopt(before.containers, now.containers),
		initContainers: adopt(before.initContainers ?? [], now.initContainers ?? []),
	};
}
