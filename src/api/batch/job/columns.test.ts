import assert from 'node:assert/strict';
import test from 'node:test';
import { decode } from '../../schema/decode.ts';
import { jobColumns } from './columns.ts';
import { type JobStatus, jobSchema } from './schema.ts';

const NOW = Date.parse('2026-01-31T08:10:00Z');

function cells(
	spec: object,
	status: JobStatus,
	metadata: object = {},
): Readonly<Record<string, string | number | boolean>> {
	const containers = [
		{ name: 'main', image: 'a:1' },
		{ name: 'side', image: 'b:2' },
	];
	const { value } = decode(jobSchema, {
		metadata: { name: 'pi', creationTimestamp: '2026-01-31T08:00:00Z', ...metadata },
		spec: { template: { spec: { containers } }, ...spec },
		status,
	});
	return Object.fromEntries(jobColumns.map(({ name, cell }) => [name, cell(value, NOW)]));
}

test('the columns of a Job show its status, completions, duration and template', () => {
	assert.deepEqual(
		jobColumns.map(({ name, priority }) => `${name}${priority === 1 ? ' (wide)' : ''}`),
		[
			'Name',
			'Status',
			'Completions',
			'Duration',
			'Age',
			'Containers (wide)',
			'Images (wide)',
			'Selector (wide)',
		],
	);
	const selector = { matchLabels: { app: 'pi', a: 'b' } };
	assert.deepEqual(cells({ completions: 3, selector }, { succeeded: 1, startTime: '2026-01-31T08:05:00Z' }), {
		Name: 'pi',
		Status: 'Running',
		Completions: '1/3',
		Duration: '5m',
		Age: '10m',
		Containers: 'main,side',
		Images: 'a:1,b:2',
		Selector: 'a=b,app=pi',
	});
});

test('STATUS shows the first state that applies', () => {
	const are = (...types: readonly string[]): JobStatus => ({
		conditions: types.map((type) => ({ type, status: 'True' })),
	});
	const deleted = { deletionTimestamp: '2026-01-31T08:09:00Z' };
	const rows: readonly (readonly [status: JobStatus, metadata: object, word: string])[] = [
		[are('SuccessCriteriaMet', 'Complete'), deleted, 'Complete'],
		[are('FailureTarget', 'Failed'), deleted, 'Failed'],
		[are('Suspended'), deleted, 'Terminating'],
		[are('Suspended', 'FailureTarget'), {}, 'Suspended'],
		[are('FailureTarget'), {}, 'FailureTarget'],
		[are('SuccessCriteriaMet'), {}, 'SuccessCriteriaMet'],
		[{ conditions: [{ type: 'Suspended', status: 'False' }] }, {}, 'Running'],
		[{}, {}, 'Running'],
	];
	for (const [status, metadata, word] of rows) {
		assert.equal(cells({}, status, metadata).Status, word, JSON.stringify(status));
	}
});

test('COMPLETIONS shows successes out of completions, or the parallelism of a work queue', () => {
	const rows: readonly (readonly [spec: object, text: string])[] = [
		[{ completions: 3, parallelism: 2 }, '2/3'],
		[{ parallelism: 3 }, '2/1 of 3'],
		[{ parallelism: 1 }, '2/1'],
	];
	for (const [spec, text] of rows) assert.equal(cells(spec, { succeeded: 2 }).Completions, text);
});

test('DURATION runs from startTime to completionTime, or until now', () => {
	const startTime = '2026-01-31T08:00:00Z';
	assert.equal(cells({}, {}).Duration, '');
	assert.equal(cells({}, { startTime, completionTime: '2026-01-31T08:01:30Z' }).Duration, '90s');
	assert.equal(cells({}, { startTime }).Duration, '10m');
});
