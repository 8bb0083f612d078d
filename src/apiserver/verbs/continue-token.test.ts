import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../../api/errors/api-error.ts';
import { decodeToken, encodeToken } from './continue-token.ts';

const V = '"v":"meta.k8s.io/v1"';

function errorOf(json: string): string {
	return errorOfText(Buffer.from(json).toString('base64url'));
}

function errorOfText(text: string): string {
	try {
		decodeToken(text, 100);
	} catch (error) {
		assert.ok(error instanceof ApiError);
		assert.equal(error.code, 400);
		const prefix = 'invalid continue token: continue key is not valid: ';
		assert.ok(error.message.startsWith(prefix), error.message);
		return error.message.slice(prefix.length);
	}
	return 'taken';
}

test('a token is decoded as it was encoded', () => {
	for (const token of [
		{ revision: 7, start: 'default/a', remaining: 3 },
		{ revision: undefined, start: 'a', remaining: undefined },
	]) {
		assert.deepEqual(decodeToken(encodeToken(token), 100), token);
	}
});

test("text that is not a token is rejected with upstream's messages", () => {
	const rows: readonly (readonly [json: string, error: string])[] = [
		[
			`{${V},"rv":1e300,"start":"a"}`,
			'json: cannot unmarshal number 1e300 into Go struct field continueToken.rv of type int64',
		],
		[
			`{${V},"rv":1.5,"start":"a"}`,
			'json: cannot unmarshal number 1.5 into Go struct field continueToken.rv of type int64',
		],
		[
			`{${V},"rv":9223372036854775808,"start":"a"}`,
			'json: cannot unmarshal number 9223372036854775808 into Go struct field continueToken.rv of type int64',
		],
		[
			`{${V},"rv":"5","start":"a"}`,
			'json: cannot unmarshal string into Go struct field continueToken.rv of type int64',
		],
		[
			`{${V},"rv":5,"start":7}`,
			'json: cannot unmarshal number 7 into Go struct field continueToken.start of type string',
		],
		[`{${V},"start":"a"}`, 'incorrect encoded start resourceVersion (version meta.k8s.io/v1)'],
		[`{${V},"rv":null,"start":"a"}`, 'incorrect encoded start resourceVersion (version meta.k8s.io/v1)'],
		[`{${V},"rv":5}`, 'encoded start key empty (version meta.k8s.io/v1)'],
		['{"v":"v2","rv":5,"start":"a"}', 'server does not recognize this encoded version v2'],
		['[]', 'json: cannot unmarshal array into Go value of type storage.continueToken'],
		[`{${V},"rv":5,"start":"../pods/a"}`, '../pods/a'],
		[`{${V},"rv":5,"start":"a/../b"}`, 'a/../b'],
		[`{${V},"rv":101,"start":"a"}`, 'resourceVersion 101 is later than the latest one, 100'],
		[
			`{${V},"rv":9223372036854775807,"start":"a"}`,
			'resourceVersion 9223372036854775807 is later than the latest one, 100',
		],
	];
	for (const [json, error] of rows) assert.equal(errorOf(json), error, json);
	assert.equal(errorOfText('x'), 'illegal base64 data at input byte 0');
	assert.equal(errorOfText('abc='), 'illegal base64 data at input byte 3');
	assert.match(errorOf('{'), /^unexpected end of JSON input/);
});
