import assert from 'node:assert/strict';
import test from 'node:test';
import { deepFreeze } from '../../../base/json/freeze.ts';
import { decode } from '../../schema/decode.ts';
import { defaultJob } from './defaults.ts';
import { type Job, jobSchema } from './schema.ts';

function job(spec: object, metadata: object = {}): Job {
	const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'busybox' }] } };
	return deepFreeze(decode(jobSchema, { metadata, spec: { template, ...spec } }).value);
}

test('defaults are set in the fields that a Job omits', () => {
	const policy = { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] }] };
	const rows: readonly (readonly [given: object, expected: Partial<Job['spec']>])[] = [
		[{}, { completions: 1, parallelism: 1 }],
		[{ completions: 3 }, { completions: 3, parallelism: 1 }],
		[{ completions: 0 }, { completions: 0, parallelism: 1 }],
		[{}, { backoffLimit: 6 }],
		[{ backoffLimit: 0 }, { backoffLimit: 0 }],
		[{ backoffLimitPerIndex: 0 }, { backoffLimit: 2147483647 }],
		[{ backoffLimitPerIndex: 1, backoffLimit: 2 }, { backoffLimit: 2 }],
		[{}, { completionMode: 'NonIndexed', suspend: false, manualSelector: false }],
		[
			{ completionMode: 'Indexed', suspend: true },
			{ completionMode: 'Indexed', suspend: true },
		],
		[{}, { podReplacementPolicy: 'TerminatingOrFailed' }],
		[{ podFailurePolicy: policy }, { podReplacementPolicy: 'Failed' }],
		[{ podReplacementPolicy: 'Failed' }, { podReplacementPolicy: 'Failed' }],
	];
	for (const [given, expected] of rows) {
		const { spec } = defaultJob(job(given));
		assert.deepEqual({ ...spec, ...expected }, spec, JSON.stringify(given));
	}
});

test('a Job with parallelism only gets no completions: it is a work queue', () => {
	assert.equal(defaultJob(job({ parallelism: 3 })).spec.completions, undefined);
});

test('optional fields without a default stay absent', () => {
	const { spec } = defaultJob(job({}));
	for (const field of [
		'ttlSecondsAfterFinished',
		'activeDeadlineSeconds',
		'maxFailedIndexes',
		'backoffLimitPerIndex',
		'successPolicy',
		'managedBy',
		'selector',
	]) {
		assert.ok(!(field in spec), field);
	}
});

test('a condition pattern without a status gets status True', () => {
	const patterns = [{ type: 'DisruptionTarget' }, { type: 'Ready', status: 'False' }];
	const { spec } = defaultJob(
		job({ podFailurePolicy: { rules: [{ action: 'Ignore', onPodConditions: patterns }] } }),
	);
	assert.deepEqual(
		spec.podFailurePolicy?.rules[0]?.onPodConditions?.map(({ status }) => status),
		['True', 'False'],
	);
});

test('a Job without labels inherits those of its template', () => {
	const spec = { containers: [{ name: 'main', image: 'busybox' }] };
	const template = { metadata: { labels: { app: 'pi', 'controller-uid': 'u' } }, spec };
	assert.deepEqual(defaultJob(job({ template })).metadata.labels, template.metadata.labels);
	const own = { labels: { mine: 'yes' } };
	assert.deepEqual(defaultJob(job({ template }, own)).metadata.labels, { mine: 'yes' });
	assert.equal(defaultJob(job({})).metadata.labels, undefined);
	const fresh = { metadata: { labels: { app: 'pi' } }, spec };
	assert.equal(
		defaultJob(job({ template: fresh })).metadata.labels,
		undefined,
		'its labels are not generated yet',
	);
	const manual = defaultJob(job({ template: fresh, manualSelector: true }));
	assert.deepEqual(manual.metadata.labels, { app: 'pi' }, 'none will be generated');
});

test('the template gets the defaults of a Pod template, but not those of Pods alone', () => {
	const template = {
		spec: {
			hostNetwork: true,
			containers: [
				{
					name: 'main',
					image: 'busybox',
					ports: [{ containerPort: 80 }],
					resources: { limits: { cpu: '1' } },
				},
			],
		},
	};
	const { spec } = defaultJob(job({ template })).spec.template;
	assert.equal(spec.restartPolicy, 'Always');
	assert.equal(spec.terminationGracePeriodSeconds, 30);
	assert.equal(spec.enableServiceLinks, undefined);
	assert.deepEqual(spec.containers[0]?.ports, [{ protocol: 'TCP', containerPort: 80 }]);
	assert.deepEqual(spec.containers[0]?.resources, { limits: { cpu: '1' } });
});

test('defaulting returns a Job without gaps unchanged', () => {
	const complete = defaultJob(job({ podFailurePolicy: { rules: [] } }, { labels: { a: 'b' } }));
	assert.equal(defaultJob(complete), complete);
});
