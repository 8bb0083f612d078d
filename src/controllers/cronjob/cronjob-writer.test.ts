import assert from 'node:assert/strict';
import test from 'node:test';
import { internalError } from '../../api/meta/api-error.ts';
import type { ApiTransport } from '../../api/meta/transport.ts';
import { Client } from '../../client/client.ts';
import { aCronJob, aJob, referenceTo } from '../../plan/cronjob/cronjob-world.ts';
import { CronJobWriter } from './cronjob-writer.ts';

const running = aJob('tick-1');
const refusal = internalError('no deletions today');

/** A server with one Job, which it does not delete. */
const transport: ApiTransport = {
	request: async ({ method }) => {
		if (method === 'DELETE') throw refusal;
		return { code: 200, object: running, warnings: [] };
	},
	watch: () => Promise.reject(new Error('nobody watches here')),
	stream: () => Promise.reject(new Error('nobody reads here')),
};

test('a Job that cannot be deleted to make room is announced, and the error says why', async () => {
	const announced: string[] = [];
	const writer = new CronJobWriter(aCronJob({}), {
		client: new Client(transport),
		recorder: { event: (_, { reason, message }) => announced.push(`${reason} ${message}`) },
		onStarted: () => undefined,
	});
	await assert.rejects(writer.replace(referenceTo(running)), (error: Error) => {
		assert.equal(error.message, 'could not replace job default/tick-1');
		assert.equal(error.cause, refusal);
		return true;
	});
	assert.deepEqual(announced, ['FailedDelete Deleted job: Internal error occurred: no deletions today']);
});
