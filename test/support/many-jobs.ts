import { jobs } from '../../src/api/batch/job/definition.ts';
import type { Job } from '../../src/api/batch/job/schema.ts';
import { ResourceCodec } from '../../src/apiserver/storage/stored-object.ts';
import type { Store } from '../../src/store/store.ts';

/** The number of Jobs that one group commit writes. */
const GROUP = 1000;

/**
 * Writes `count` finished Jobs to a store before a server opens it, in the server's own encoding. This takes
 * seconds, where creating them through the API takes minutes. Every tenth Job has the label `tenth=yes`.
 */
export async function seedJobs(store: Store, count: number): Promise<void> {
	const codec = new ResourceCodec(jobs);
	for (let start = 0; start < count; start += GROUP) {
		const length = Math.min(GROUP, count - start);
		await Promise.all(
			Array.from({ length }, (_, index) => {
				const job = finishedJob(start + index);
				const key = codec.key('default', job.metadata.name ?? '');
				return store.write({ type: 'create', key, value: codec.encode(jobs.defaults(job)) });
			}),
		);
	}
}

function finishedJob(index: number): Job {
	const uid = `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
	const labels = { 'batch.kubernetes.io/controller-uid': uid, 'controller-uid': uid };
	const time = '2026-01-01T00:00:00Z';
	const condition = { status: 'True' as const, lastProbeTime: time, lastTransitionTime: time };
	return {
		kind: 'Job',
		apiVersion: 'batch/v1',
		metadata: {
			name: `job-${String(index).padStart(6, '0')}`,
			namespace: 'default',
			uid,
			creationTimestamp: time,
			generation: 1,
			labels: { ...labels, ...(index % 10 === 0 && { tenth: 'yes' }) },
		},
		spec: {
			selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } },
			template: {
				metadata: { labels },
				spec: {
					restartPolicy: 'Never',
					containers: [{ name: 'main', image: 'busybox', command: ['true'] }],
				},
			},
		},
		status: {
			startTime: time,
			completionTime: time,
			succeeded: 1,
			ready: 0,
			terminating: 0,
			uncountedTerminatedPods: {},
			conditions: [
				{ type: 'SuccessCriteriaMet', ...condition },
				{ type: 'Complete', ...condition },
			],
		},
	};
}
