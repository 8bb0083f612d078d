import assert from 'node:assert/strict';
import test from 'node:test';
import type { ApiTransport } from '../../api/contract/transport.ts';
import { type ApiError, conflict, internalError } from '../../api/errors/api-error.ts';
import { ConcurrencyLimit } from '../../base/queue/concurrency-limit.ts';
import { Client } from '../../client/client.ts';
import { aCronJob, aJob, referenceTo } from '../../plan/cronjob/testing/cronjob-world.ts';
import { CronJobWriter } from './cronjob-writer.ts';

const running = aJob('tick-1');
const refusal = internalError('no deletions today');

/** A writer against a server that has one Job and rejects its deletion; records the requests and Events. */
function writerRefused(refusal: ApiError): {
	readonly writer: CronJobWriter;
	readonly asked: unknown[];
	readonly announced: string[];
} {
	const asked: unknown[] = [];
	const announced: string[] = [];
	const transport: ApiTransport = {
		request: async ({ method, body }) => {
			if (method !== 'DELETE') return { code: 200, object: running, warnings: [] };
			asked.push(body);
			throw refusal;
		},
		watch: () => Promise.reject(new Error('this server has no watches')),
		stream: () => Promise.reject(new Error('this server has no streams')),
		duplex: () => Promise.reject(new Error('this server has no streams')),
	};
	const writer = new CronJobWriter(aCronJob({}), {
		client: new Client(transport),
		recorder: { event: (_, { reason, message }) => announced.push(`${reason} ${message}`) },
		onStarted: () => undefined,
		statusLimit: new ConcurrencyLimit(4),
	});
	return { writer, asked, announced };
}

test('a Job of the history is deleted by its resourceVersion; a Job that has changed is kept and no Event is recorded', async () => {
	const changed = conflict({ group: 'batch', resource: 'jobs', name: 'tick-1' }, 'changed');
	const { writer, asked, announced } = writerRefused(changed);
	const metadata = { ...running.metadata, resourceVersion: '7' };
	await writer.cleanUp({ ...running, metadata });
	const [options] = asked;
	assert.deepEqual(options, {
		apiVersion: 'v1',
		kind: 'DeleteOptions',
		propagationPolicy: 'Background',
		preconditions: { uid: running.metadata.uid, resourceVersion: '7' },
	});
	assert.deepEqual(announced, []);
});

test('if a Job cannot be replaced, an Event is recorded and the writer rejects with the cause', async () => {
	const { writer, announced } = writerRefused(refusal);
	await assert.rejects(writer.replace(referenceTo(running)), (error: Error) => {
		assert.equal(error.message, 'could not replace job default/tick-1');
		assert.equal(error.cause, refusal);
		return true;
	});
	assert.deepEqual(announced, ['FailedDelete Deleted job: Internal error occurred: no deletions today']);
});
