import {
	COMPLETION_INDEX,
	COMPLETION_INDEX_ENV,
	INDEX_FAILURE_COUNT,
	INDEX_IGNORED_FAILURE_COUNT,
	TRACKING_FINALIZER,
} from '../../../api/batch/job/labels.ts';
import type { Job } from '../../../api/batch/job/schema.ts';
import type { Container, Pod, PodSpec } from '../../../api/core/pod/schema.ts';
import { controllerReferenceTo } from '../../../api/meta/controller-reference.ts';
import { judgeFailure } from '../pod-failure-policy.ts';
import { isIndexed } from './classify.ts';
import { failureCounts } from './view.ts';

/**
 * The API server cuts a longer generateName to make room for its five random characters, and would cut the
 * index.
 */
const LONGEST_PREFIX = 58;

/** Creates the Pods of one Job from its template. The parts that all Pods share are computed once. */
export class PodMaker {
	readonly #job: Job;
	readonly #spec: PodSpec;
	readonly #metadata: Pod['metadata'];

	constructor(job: Job) {
		const { metadata, spec } = job.spec.template;
		const finalizers = metadata?.finalizers ?? [];
		this.#job = job;
		this.#spec = isIndexed(job) ? withIndexEnv(spec) : spec;
		this.#metadata = {
			...(job.metadata.namespace && { namespace: job.metadata.namespace }),
			...(metadata?.labels && { labels: metadata.labels }),
			...(metadata?.annotations && { annotations: metadata.annotations }),
			ownerReferences: [controllerReferenceTo(job)],
			finalizers: finalizers.includes(TRACKING_FINALIZER) ? finalizers : [...finalizers, TRACKING_FINALIZER],
		};
	}

	/** A Pod of a Job without indexes. */
	plain(): Pod {
		return this.#pod(this.#spec, { generateName: `${this.#job.metadata.name ?? ''}-` });
	}

	/**
	 * A Pod for a completion index. `replaced` is the last failed Pod of the index, whose failure counts it
	 * continues.
	 */
	forIndex(index: number, replaced: Pod | undefined): Pod {
		const { name = '' } = this.#job.metadata;
		const labels = { ...this.#metadata.labels, [COMPLETION_INDEX]: `${index}` };
		const counts = this.#job.spec.backoffLimitPerIndex === undefined ? {} : this.#failureCounts(replaced);
		const annotations = { ...this.#metadata.annotations, [COMPLETION_INDEX]: `${index}`, ...counts };
		const spec = { ...this.#spec, hostname: `${name}-${index}` };
		return this.#pod(spec, { generateName: prefixFor(name, index), labels, annotations });
	}

	#pod(spec: PodSpec, metadata: Pod['metadata']): Pod {
		return { apiVersion: 'v1', kind: 'Pod', metadata: { ...this.#metadata, ...metadata }, spec, status: {} };
	}

	/** The annotations that carry the failure counts of an index from Pod to Pod; nothing else stores them. */
	#failureCounts(replaced: Pod | undefined): Readonly<Record<string, string>> {
		if (!replaced) return { [INDEX_FAILURE_COUNT]: '0' };
		const before = failureCounts(replaced);
		const { counted } = judgeFailure(this.#job.spec.podFailurePolicy, replaced);
		const ignored = before.ignored + (counted ? 0 : 1);
		return {
			[INDEX_FAILURE_COUNT]: `${before.counted + (counted ? 1 : 0)}`,
			...(ignored > 0 && { [INDEX_IGNORED_FAILURE_COUNT]: `${ignored}` }),
		};
	}
}

/** `<job>-<index>-`, with the Job's name cut if the whole would be too long. */
function prefixFor(name: string, index: number): string {
	const suffix = `-${index}-`;
	return `${name.slice(0, LONGEST_PREFIX - suffix.length)}${suffix}`;
}

function withIndexEnv(spec: PodSpec): PodSpec {
	const { initContainers } = spec;
	return {
		...spec,
		...(initContainers && { initContainers: initContainers.map(withIndexEnvVariable) }),
		containers: spec.containers.map(withIndexEnvVariable),
	};
}

/** Adds the variable JOB_COMPLETION_INDEX, unless the template sets it. */
function withIndexEnvVariable(container: Container): Container {
	const env = container.env ?? [];
	if (env.some(({ name }) => name === COMPLETION_INDEX_ENV)) return container;
	const fieldRef = { fieldPath: `metadata.labels['${COMPLETION_INDEX}']` };
	return { ...container, env: [...env, { name: COMPLETION_INDEX_ENV, valueFrom: { fieldRef } }] };
}
