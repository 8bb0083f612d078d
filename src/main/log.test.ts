import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notFound } from '../api/errors/api-error.ts';
import { jsonLine, terminalLine } from './log.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

test('a line for a terminal has time, level, component and message, with control characters escaped', () => {
	const line = (text: string): string => text.replace(/^stint \d\d:\d\d:\d\d /, '');
	assert.equal(line(terminalLine({ level: 'info', message: 'stopping' }, NOW)), 'stopping\n');
	const warning = {
		level: 'warning',
		component: 'scheduler',
		about: 'default/pi',
		message: 'no\nroute',
	} as const;
	assert.equal(line(terminalLine(warning, NOW)), 'warning: scheduler default/pi: no route\n');
	assert.equal(
		line(terminalLine({ level: 'fatal', message: 'the \u001b[2Jstore failed' }, NOW)),
		'error: the ^[[2Jstore failed\n',
	);
});

test('a JSON line has the stack of an error and of its causes, but none of an ApiError', () => {
	const cause = new Error('disk I/O error');
	const error = new Error('the store failed', { cause });
	const own = JSON.parse(jsonLine({ level: 'fatal', message: error.message, error }, NOW));
	assert.deepEqual(
		{ ...own, stack: '' },
		{
			time: '2026-01-02T03:04:05.000Z',
			level: 'fatal',
			message: 'the store failed',
			stack: '',
		},
	);
	assert.match(own.stack, /^Error: the store failed\n(?:.|\n)*\ncaused by: Error: disk I\/O error\n/);
	const answer = notFound({ group: '', resource: 'pods', name: 'p' });
	const line = {
		level: 'warning',
		component: 'c',
		about: 'a/b',
		message: answer.message,
		error: answer,
	} as const;
	assert.deepEqual(JSON.parse(jsonLine(line, NOW)), {
		...{ time: '2026-01-02T03:04:05.000Z', level: 'warning', component: 'c', about: 'a/b' },
		message: 'pods "p" not found',
	});
});
