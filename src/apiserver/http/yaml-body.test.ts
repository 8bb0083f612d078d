import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isRecord } from '../../base/json/json.ts';
import { type BytesAnswer, type SentBytes, sendBytes } from '../testing/bytes-client.ts';
import { JOBS, openTestServer } from '../testing/server-contract-suite.ts';

const TEMPLATE = '  template: {spec: {restartPolicy: Never, containers: [{name: c, image: b}]}}\n';

/** Posts a Job as YAML to a new server. */
async function post(body: string, query: SentBytes['query'] = {}): Promise<BytesAnswer> {
	const { server } = await openTestServer();
	return sendBytes(server, 'POST', JOBS, { body, contentType: 'application/yaml', query });
}

/** A field of the Job's spec in a response. */
function specOf({ code, json, text }: BytesAnswer): Readonly<Record<string, unknown>> {
	assert.equal(code, 201, text);
	assert.ok(isRecord(json.spec));
	return json.spec;
}

describe('a YAML body', () => {
	test('is parsed as YAML 1.1, as upstream does', async () => {
		const text = `metadata: {name: j, annotations: {a: !!binary aGk=, m: "1_000"}}\nspec:\n  backoffLimit: 010\n  suspend: yes\n  activeDeadlineSeconds: 1_000\n  completions: 0x10\n${TEMPLATE}`;
		const answer = await post(text);
		const { backoffLimit, suspend, activeDeadlineSeconds, completions } = specOf(answer);
		assert.deepEqual(
			{ backoffLimit, suspend, activeDeadlineSeconds, completions },
			{ backoffLimit: 8, suspend: true, activeDeadlineSeconds: 1000, completions: 16 },
		);
		assert.match(answer.text, /"annotations":\{"a":"hi","m":"1_000"\}/);
	});

	test('may have merge keys', async () => {
		const text = `metadata: {name: j, annotations: &a {x: "1"}}\nspec:\n  <<: {backoffLimit: 3, parallelism: 2}\n  parallelism: 4\n${TEMPLATE}`;
		const { backoffLimit, parallelism } = specOf(await post(text));
		assert.deepEqual({ backoffLimit, parallelism }, { backoffLimit: 3, parallelism: 4 });
	});

	test('is read up to the end of its first document', async () => {
		const text = `metadata: {name: j}\nspec:\n${TEMPLATE}---\nmetadata: {name: k}\n`;
		assert.match((await post(text)).text, /"name":"j"/);
		assert.equal((await post(`--- {metadata: {name: j}, spec: {${TEMPLATE.trim()}}}\n--- [`)).code, 201);
	});

	test("is rejected with upstream's messages", async () => {
		const rows: readonly (readonly [body: string, message: string])[] = [
			[
				'%YAML 1.2\n---\nkind: Job\n',
				'yaml: found incompatible YAML document (2559414d4c20312e320a2d2d2d0a6b696e643a204a6f620a)',
			],
			['a: b: c\n', 'yaml: mapping values are not allowed in this context (613a20623a20630a)'],
			[
				'a:\n  b: [1\nc: 2\n',
				"yaml: line 2: did not find expected ',' or ']' (613a0a2020623a205b310a633a20320a)",
			],
			['a: .nan\n', 'json: unsupported value: NaN (613a202e6e616e0a)'],
			[
				'kind: 5\n',
				"couldn't get version/kind; json parse error: json: cannot unmarshal number into Go struct field .kind of type string (6b696e643a20350a)",
			],
			['\x01', 'yaml: control characters are not allowed (01)'],
		];
		for (const [body, message] of rows) {
			const answer = await post(body);
			assert.equal(answer.code, 400);
			assert.equal(answer.message, `the object provided is unrecognized (must be of type Job): ${message}`);
		}
	});

	test('may be empty, and then lacks all required fields', async () => {
		for (const body of ['\n', '---\n', '# a comment\n', 'null\n']) {
			const answer = await post(body);
			assert.equal(answer.code, 422, body);
			assert.match(answer.message, /metadata\.name: Required value: name or generateName is required/);
		}
	});

	describe('with a repeated key', () => {
		const text = `metadata:\n  name: j\nspec:\n  suspend: false\n  backoffLimit: 1\n${TEMPLATE}  suspend: true\n  foo: 1\n`;
		const twice = 'line 7: key "suspend" already set in map';

		test('has its last value, without a warning', async () => {
			const answer = await post(text, { fieldValidation: 'Ignore' });
			assert.equal(specOf(answer).suspend, true);
			assert.deepEqual(answer.warnings, []);
		});

		test('causes a warning', async () => {
			const answer = await post(text);
			assert.equal(specOf(answer).suspend, true);
			assert.deepEqual(answer.warnings, [twice, 'unknown field "spec.foo"']);
		});

		test('is rejected by strict validation', async () => {
			const { code, message } = await post(text, { fieldValidation: 'Strict' });
			assert.equal(code, 400);
			assert.equal(
				message,
				`Job in version "v1" cannot be handled as a Job: strict decoding error: yaml: unmarshal errors:\n  ${twice}, unknown field "spec.foo"`,
			);
		});
	});
});
