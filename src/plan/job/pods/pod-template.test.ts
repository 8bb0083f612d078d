import assert from 'node:assert/strict';
import test from 'node:test';
import type { Job, JobSpec } from '../../../api/batch/job/schema.ts';
import type { Pod } from '../../../api/core/pod/schema.ts';
import { PodMaker } from './pod-template.ts';

const JOB: Job = {
	apiVersion: 'batch/v1',
	kind: 'Job',
	metadata: { name: 'pi', namespace: 'ns', uid: 'job-uid' },
	spec: {
		template: {
			metadata: { labels: { app: 'pi' }, annotations: { note: 'kept' }, finalizers: ['example.com/own'] },
			spec: {
				restartPolicy: 'Never',
				initContainers: [{ name: 'init', env: [{ name: 'JOB_COMPLETION_INDEX', value: 'mine' }] }],
				containers: [{ name: 'main', env: [{ name: 'A', value: '1' }] }],
			},
		},
	},
	status: {},
};

function indexed(spec: Partial<JobSpec> = {}, name = 'pi'): PodMaker {
	const metadata = { ...JOB.metadata, name };
	return new PodMaker({
		...JOB,
		metadata,
		spec: { ...JOB.spec, completionMode: 'Indexed', completions: 9, ...spec },
	});
}

test('a Pod without an index has the template, the owner reference and the tracking finalizer', () => {
	assert.deepEqual(new PodMaker(JOB).plain(), {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: {
			namespace: 'ns',
			generateName: 'pi-',
			labels: { app: 'pi' },
			annotations: { note: 'kept' },
			ownerReferences: [
				{
					apiVersion: 'batch/v1',
					kind: 'Job',
					name: 'pi',
					uid: 'job-uid',
					controller: true,
					blockOwnerDeletion: true,
				},
			],
			finalizers: ['example.com/own', 'batch.kubernetes.io/job-tracking'],
		},
		spec: JOB.spec.template.spec,
		status: {},
	});
});

test('a Pod of an index has it in its label, annotation, hostname, name and environment', () => {
	const { metadata, spec } = indexed().forIndex(3, undefined);
	assert.equal(metadata.generateName, 'pi-3-');
	assert.deepEqual(metadata.labels, { app: 'pi', 'batch.kubernetes.io/job-completion-index': '3' });
	assert.deepEqual(metadata.annotations, { note: 'kept', 'batch.kubernetes.io/job-completion-index': '3' });
	assert.equal(spec.hostname, 'pi-3');
	const fieldPath = "metadata.labels['batch.kubernetes.io/job-completion-index']";
	assert.deepEqual(spec.containers[0]?.env, [
		{ name: 'A', value: '1' },
		{ name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef: { fieldPath } } },
	]);
	assert.deepEqual(spec.initContainers?.[0]?.env, [{ name: 'JOB_COMPLETION_INDEX', value: 'mine' }]);
});

test('a long Job name is cut so that the index fits into the 58 characters of generateName', () => {
	const { metadata } = indexed({}, 'n'.repeat(60)).forIndex(12, undefined);
	assert.equal(metadata.generateName, `${'n'.repeat(54)}-12-`);
});

test('with backoffLimitPerIndex a replacement continues the failure counts of the failed Pod', () => {
	const counts = (pod: Pod): readonly (string | undefined)[] => [
		pod.metadata.annotations?.['batch.kubernetes.io/job-index-failure-count'],
		pod.metadata.annotations?.['batch.kubernetes.io/job-index-ignored-failure-count'],
	];
	const perIndex = indexed({ backoffLimitPerIndex: 2 });
	const first = perIndex.forIndex(0, undefined);
	assert.deepEqual(counts(first), ['0', undefined]);
	const second = perIndex.forIndex(0, first);
	assert.deepEqual(counts(second), ['1', undefined]);
	const rules = [
		{ action: 'Ignore' as const, onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
	];
	const ignoring = indexed({ backoffLimitPerIndex: 2, podFailurePolicy: { rules } });
	const disrupted: Pod = {
		...second,
		status: { conditions: [{ type: 'DisruptionTarget', status: 'True' }] },
	};
	assert.deepEqual(counts(ignoring.forIndex(0, disrupted)), ['1', '1']);
});
