import type { PodSpec } from '../../core/pod/schema.ts';
import { fieldInvalid, immutable } from '../../errors/field-errors.ts';
import { type FieldError, FieldPath, SPEC } from '../../errors/field-path.ts';
import { isConditionTrue } from '../../meta/conditions.ts';
import { validateMetaUpdate } from '../../meta/validate-meta.ts';
import { semanticEqual } from '../../schema/equality.ts';
import { CONTROLLER_UID_LABEL, expectedLabels, JOB_NAME_LABEL } from './labels.ts';
import type { Job, JobSpec } from './schema.ts';
import { validateJob, validateSpecWithSelector } from './validation.ts';

/**
 * The errors of an update of a Job, in the order of upstream's ValidateJobUpdate. Upstream validates the spec
 * twice, as that of a new Job and as that of a changed one, and reports its errors twice. So does this.
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

/** Jobs created before Kubernetes 1.27 have no prefixed labels, so an update must not require those. */
function labelsToKeep(old: Job, job: Job): readonly (readonly [string, string])[] {
	const labels = old.spec.template.metadata?.labels ?? {};
	const prefixed = CONTROLLER_UID_LABEL in labels && JOB_NAME_LABEL in labels;
	return expectedLabels(job).filter(([key]) => prefixed || !key.includes('/'));
}

/** The error of an immutable field. Semantic equality, since clients write absent and empty values alike. */
function validateUnchanged(field: keyof JobSpec, { spec }: Job, { spec: old }: Job): readonly FieldError[] {
	return semanticEqual(spec[field], old[field]) ? [] : [immutable(SPEC.child(field), spec[field])];
}

/**
 * Completions are immutable, but an elastic Indexed Job may change them together with an equal parallelism.
 */
function validateCompletions(job: Job, old: Job): readonly FieldError[] {
	const { completions, parallelism, completionMode } = job.spec;
	if (completionMode !== 'Indexed') return validateUnchanged('completions', job, old);
	if (completions === old.spec.completions || completions === undefined || completions === parallelism) {
		return [];
	}
	return [
		fieldInvalid(
			SPEC.child('completions'),
			completions,
			'can only be modified in tandem with spec.parallelism',
		),
	];
}

/**
 * The template is immutable. While the Job is suspended and has no active Pods, scheduling directives, the
 * resources of containers and the metadata of the template may change: queueing controllers set them before
 * they resume a Job.
 */
function validateTemplateChange({ spec }: Job, old: Job): readonly FieldError[] {
	const path = SPEC.child('template');
	if (!isInactive(old)) {
		return semanticEqual(spec.template, old.spec.template) ? [] : [immutable(path, spec.template)];
	}
	const now = spec.template.spec;
	const before = withContainersOf(old.spec.template.spec, now);
	if (semanticEqual(withoutScheduling(now), withoutScheduling(before))) return [];
	return [immutable(path.child('spec'), now)];
}

/**
 * Whether the Job is suspended and the controller has observed that: no Pod of it runs with the old template.
 */
function isInactive({ spec, status }: Job): boolean {
	return (
		spec.suspend === true &&
		(status.startTime === undefined || isConditionTrue(status.conditions, 'Suspended')) &&
		(status.active ?? 0) === 0
	);
}

/** `spec` without the scheduling directives that may change. Affinity to other Pods is not among those. */
function withoutScheduling(spec: PodSpec): object {
	const { nodeSelector: _selector, tolerations: _tolerations, schedulingGates: _gates, ...rest } = spec;
	const { nodeAffinity: _nodes, ...affinity } = spec.affinity ?? {};
	return { ...rest, affinity };
}

/** `before` with the resources of the containers in `now` that have the same position and name. */
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
