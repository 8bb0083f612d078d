import assert from 'node:assert/strict';
import test from 'node:test';
import { ApiError } from '../../api/errors/api-error.ts';
import { ServerUnreachableError } from '../../client/transport/server-unreachable.ts';
import { CommandError } from '../context.ts';
import { describeError, HintedError } from '../errors.ts';
import { parseTargets } from './resource-args.ts';

function texts(...words: readonly string[]): readonly string[] {
	return parseTargets(words).map(({ definition, name }) => `${definition.resource}:${name ?? '*'}`);
}

test('arguments name resources, objects, several of them, and categories', () => {
	assert.deepEqual(texts('jobs'), ['jobs:*']);
	assert.deepEqual(texts('job', 'a', 'b'), ['jobs:a', 'jobs:b']);
	assert.deepEqual(texts('job/a', 'po/b'), ['jobs:a', 'pods:b']);
	assert.deepEqual(texts('Jobs.batch,po', 'x'), ['jobs:x', 'pods:x']);
	assert.deepEqual(texts('all'), [
		...[
			'pods:*',
			'replicationcontrollers:*',
			'services:*',
			'deployments:*',
			'replicasets:*',
			'cronjobs:*',
			'jobs:*',
		],
	]);
});

test('parseTargets rejects an unknown type and suggests a similar one', () => {
	const refused = (pattern: RegExp, ...words: readonly string[]): void => {
		assert.throws(
			() => parseTargets(words),
			(error) => error instanceof CommandError && pattern.test(error.message),
		);
	};
	refused(/specify a resource/);
	refused(/doesn't have a resource type "jbos" \(did you mean "jobs"\?\)/, 'jbos');
	refused(/single resource and name/, 'jobs/');
	refused(/more than one resource/, 'all/x');
	refused(/no need to specify a resource type/, 'jobs', 'pod/x');
});

function apiError(code: number, reason: string, message: string, details = {}): ApiError {
	return new ApiError({
		kind: 'Status',
		apiVersion: 'v1',
		metadata: {},
		status: 'Failure',
		message,
		reason,
		details,
		code,
	});
}

test("the text of a server's error is kubectl's", () => {
	assert.equal(
		describeError(apiError(404, 'NotFound', 'jobs.batch "x" not found')),
		'Error from server (NotFound): jobs.batch "x" not found',
	);
	assert.match(
		describeError(apiError(401, 'Unauthorized', 'Unauthorized')),
		/^error: You must be logged in to the server \(Unauthorized\)\nhint: /,
	);
	const cause = { field: 'spec.x', message: 'Required value' };
	const other = { field: 'spec.y', message: 'Invalid value: 1' };
	const subject = { name: 'pi', group: 'batch', kind: 'Job' };
	assert.equal(
		describeError(apiError(422, 'Invalid', '', { ...subject, causes: [cause, cause] })),
		'The Job "pi" is invalid: spec.x: Required value',
	);
	assert.equal(
		describeError(apiError(422, 'Invalid', '', { ...subject, causes: [cause, other] })),
		'The Job "pi" is invalid: \n* spec.x: Required value\n* spec.y: Invalid value: 1',
	);
	assert.equal(
		describeError(new HintedError(new CommandError('no'), 'try that')),
		'error: no\nhint: try that',
	);
});

test('the error for an unreachable server has the cause and a hint', () => {
	const unreachable = (code: string): string =>
		describeError(new ServerUnreachableError('h:1', Object.assign(new Error('text of Node'), { code })));
	assert.match(
		unreachable('ECONNREFUSED'),
		/^The connection to the server h:1 was refused .*\nhint: .*stint server$/,
	);
	assert.match(
		unreachable('SELF_SIGNED_CERT_IN_CHAIN'),
		/x509: certificate signed by unknown authority\nhint: /,
	);
	assert.equal(unreachable('ENETUNREACH'), 'Unable to connect to the server: text of Node');
});
