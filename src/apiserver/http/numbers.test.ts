import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { delimitedField, enveloped, numberField } from '../../api/protobuf/testing/wire-writer.ts';
import type { ApiServer } from '../server.ts';
import { type BytesAnswer, sendBytes } from '../testing/bytes-client.ts';
import { JOBS, openTestServer, PODS } from '../testing/server-contract-suite.ts';

/** A double rounds the first to ...992 and the second, ...5807, to ...6000. */
const EXACT = ['9007199254740993', '9223372036854775807'];

const PATCHES: Readonly<Record<string, (deadline: string) => string>> = {
	'application/json-patch+json': (deadline) =>
		`[{"op":"add","path":"/spec/activeDeadlineSeconds","value":${deadline}},{"op":"test","path":"/spec/activeDeadlineSeconds","value":${deadline}}]`,
	'application/merge-patch+json': (deadline) => `{"spec":{"activeDeadlineSeconds":${deadline}}}`,
	'application/strategic-merge-patch+json': (deadline) => `{"spec":{"activeDeadlineSeconds":${deadline}}}`,
};

function job(spec: string): string {
	const template = '{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"b"}]}}';
	return `{"metadata":{"name":"j"},"spec":{${spec},"template":${template}}}`;
}

function deadlineIn({ code, text }: BytesAnswer): string | undefined {
	assert.ok(code < 300, text);
	return /"activeDeadlineSeconds":(\d+)/.exec(text)?.[1];
}

async function serverWith(spec: string): Promise<ApiServer> {
	const { server } = await openTestServer();
	const created = await sendBytes(server, 'POST', JOBS, { body: job(spec) });
	assert.equal(created.code, 201, created.text);
	return server;
}

describe('64-bit integers are exact', () => {
	for (const deadline of EXACT) {
		test(`${deadline} from JSON to every response`, async () => {
			const server = await serverWith(`"activeDeadlineSeconds":${deadline}`);
			assert.equal(deadlineIn(await sendBytes(server, 'GET', `${JOBS}/j`)), deadline);
			assert.equal(deadlineIn(await sendBytes(server, 'GET', JOBS)), deadline);
			const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
			const table = await sendBytes(server, 'GET', JOBS, { accept, query: { includeObject: 'Object' } });
			assert.equal(deadlineIn(table), deadline);
			const unchanged = await sendBytes(server, 'PUT', `${JOBS}/j`, {
				body: (await sendBytes(server, 'GET', `${JOBS}/j`)).text,
			});
			assert.equal(deadlineIn(unchanged), deadline);
		});

		test(`${deadline} from YAML`, async () => {
			const { server } = await openTestServer();
			const body = `metadata: {name: j}\nspec:\n  activeDeadlineSeconds: ${deadline}\n  template:\n    spec:\n      restartPolicy: Never\n      containers: [{name: c, image: b}]\n`;
			const sent = { body, contentType: 'application/yaml' };
			assert.equal(deadlineIn(await sendBytes(server, 'POST', JOBS, sent)), deadline);
		});

		test(`${deadline} from protobuf`, async () => {
			const { server } = await openTestServer();
			const container = [...delimitedField(1, 'c'), ...delimitedField(2, 'b')];
			const pod = [...delimitedField(2, container), ...delimitedField(3, 'Never')];
			const spec = [...numberField(3, BigInt(deadline)), ...delimitedField(6, delimitedField(2, pod))];
			const message = [...delimitedField(1, delimitedField(1, 'j')), ...delimitedField(2, spec)];
			const sent = {
				body: enveloped('batch/v1', 'Job', message),
				contentType: 'application/vnd.kubernetes.protobuf',
			};
			assert.equal(deadlineIn(await sendBytes(server, 'POST', JOBS, sent)), deadline);
		});

		for (const [contentType, body] of Object.entries(PATCHES)) {
			test(`${deadline} from ${contentType}`, async () => {
				const server = await serverWith('"backoffLimit":1');
				const sent = { contentType, body: body(deadline) };
				assert.equal(deadlineIn(await sendBytes(server, 'PATCH', `${JOBS}/j`, sent)), deadline);
				assert.equal(deadlineIn(await sendBytes(server, 'GET', `${JOBS}/j`)), deadline);
			});
		}
	}

	test('an update of the last digit is written', async () => {
		const server = await serverWith('"activeDeadlineSeconds":9007199254740992');
		const sent = {
			contentType: 'application/merge-patch+json',
			body: '{"spec":{"activeDeadlineSeconds":9007199254740993}}',
		};
		assert.match((await sendBytes(server, 'PATCH', `${JOBS}/j`, sent)).text, /"generation":2/);
	});

	test('errors quote them as the client sent them', async () => {
		const { server } = await openTestServer();
		const rows: readonly (readonly [spec: string, message: RegExp])[] = [
			[
				'"activeDeadlineSeconds":-9007199254740993',
				/spec\.activeDeadlineSeconds: Invalid value: -9007199254740993: must be greater than or equal to 0$/,
			],
			[
				'"activeDeadlineSeconds":9223372036854775808',
				/cannot unmarshal number 9223372036854775808 into Go struct field JobSpec\.spec\.activeDeadlineSeconds of type int64$/,
			],
			['"activeDeadlineSeconds":1e3', /cannot unmarshal number 1e3 into/],
			[
				'"parallelism":1.0',
				/cannot unmarshal number 1\.0 into Go struct field JobSpec\.spec\.parallelism of type int32$/,
			],
			['"parallelism":9007199254740993', /cannot unmarshal number 9007199254740993 into/],
		];
		for (const [spec, message] of rows) {
			assert.match((await sendBytes(server, 'POST', JOBS, { body: job(spec) })).message, message);
		}
	});

	test('quantities are parsed from the digits of a number', async () => {
		const { server } = await openTestServer();
		const body =
			'{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"b","resources":{"requests":{"cpu":1.50,"memory":12345678901234567890}}}]}}';
		const { text } = await sendBytes(server, 'POST', PODS, { body });
		assert.match(text, /"requests":\{"cpu":"1500m","memory":"12345678901234567890"\}/);
	});

	test('a grace period beyond the year 9999 ends with it, and can be shortened', async () => {
		const { server } = await openTestServer();
		const spec = '{"nodeName":"n","containers":[{"name":"c","image":"b"}]}';
		await sendBytes(server, 'POST', PODS, { body: `{"metadata":{"name":"p"},"spec":${spec}}` });
		const remove = (gracePeriodSeconds: string): Promise<BytesAnswer> =>
			sendBytes(server, 'DELETE', `${PODS}/p`, { query: { gracePeriodSeconds } });
		const { text } = await remove('9223372036854775807');
		assert.match(
			text,
			/"deletionTimestamp":"9999-12-31T23:59:59Z","deletionGracePeriodSeconds":9223372036854775807/,
		);
		assert.match((await remove('60')).text, /"deletionGracePeriodSeconds":60/);
	});
});
