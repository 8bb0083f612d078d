import assert from 'node:assert/strict';
import test from 'node:test';
import type { Method } from '../request.ts';
import { sendBytes } from '../testing/bytes-client.ts';
import { openTestServer } from '../testing/server-contract-suite.ts';

/** No error about a Secret shows a value of it that the request does not contain. */

const SECRETS = '/api/v1/namespaces/default/secrets';
const STORED = Buffer.from('hunter2').toString('base64');

const PATCHES: readonly (readonly [type: string, body: string])[] = [
	['merge-patch', '{"data":{"other":"*"}}'],
	['merge-patch', '{"data":{"other":1}}'],
	['merge-patch', '{"data":[]}'],
	['merge-patch', '{"type":"kubernetes.io/tls"}'],
	['merge-patch', '{"kind":"ConfigMap"}'],
	['merge-patch', '{"unknown":1}'],
	['merge-patch', '{"immutable":"yes"}'],
	['merge-patch', '{"metadata":{"name":"other"}}'],
	['strategic-merge-patch', '{"data":{"other":"*"}}'],
	['strategic-merge-patch', '{"data":"x"}'],
	['json-patch', '[{"op":"test","path":"/data/password","value":"x"}]'],
	['json-patch', '[{"op":"copy","from":"/data/password","path":"/immutable"}]'],
	['json-patch', '[{"op":"copy","from":"/data/password","path":"/data/a~1b"}]'],
	['json-patch', '[{"op":"add","path":"/data/password/x","value":1}]'],
];

test('no error of a patch shows the stored values of a Secret', async () => {
	const opened = await openTestServer();
	const send = async (method: Method, path: string, body: string, contentType = 'application/json') =>
		sendBytes(opened.server, method, path, { body, contentType, query: { fieldValidation: 'Strict' } });
	const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data: { password: STORED } };
	assert.equal((await send('POST', SECRETS, JSON.stringify(secret))).code, 201);
	for (const [type, body] of PATCHES) {
		const contentType = `application/${type}+json`;
		const { code, text, warnings } = await send('PATCH', `${SECRETS}/s`, body, contentType);
		assert.ok(code >= 400 && code < 500, `${body}: ${code}`);
		const shown = [text, ...warnings].join();
		assert.ok(!shown.includes(STORED) && !shown.includes('hunter2'), `${body}: ${shown}`);
	}
	assert.deepEqual(opened.faults, []);
	opened.server.close();
});
