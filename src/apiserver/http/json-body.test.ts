import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sendBytes } from '../testing/bytes-client.ts';
import { JOBS, openTestServer } from '../testing/server-contract-suite.ts';

const job = (metadata: object, pod: object = {}, container: object = {}): string =>
	JSON.stringify({
		metadata: { name: 'j', ...metadata },
		spec: {
			template: {
				spec: {
					restartPolicy: 'Never',
					containers: [{ name: 'c', image: 'b', ...container }],
					...pod,
				},
			},
		},
	});

describe('a JSON body', () => {
	test('with a resource name that every JavaScript object has as a method is rejected', async () => {
		const { server } = await openTestServer();
		const body = job({}, {}, { resources: { requests: { constructor: '1' } } });
		const { code } = await sendBytes(server, 'POST', JOBS, { body });
		assert.equal(code, 422);
	});

	test('of null is an empty object, and one with a byte order mark is not JSON', async () => {
		const { server } = await openTestServer();
		assert.equal((await sendBytes(server, 'POST', JOBS, { body: 'null' })).code, 422);
		assert.equal((await sendBytes(server, 'POST', JOBS, { body: `\u{feff}${job({})}` })).code, 400);
	});

	test('may have a resourceVersion only in a dry run', async () => {
		const { server } = await openTestServer();
		const body = job({ resourceVersion: '1' });
		assert.equal((await sendBytes(server, 'POST', JOBS, { body })).code, 400);
		const query = { dryRun: 'All' };
		assert.equal((await sendBytes(server, 'POST', JOBS, { body, query })).code, 201);
	});
});
