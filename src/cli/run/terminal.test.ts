import assert from 'node:assert/strict';
import test from 'node:test';
import { outputsOver } from '../print/outputs.ts';
import { Screen } from './terminal.ts';

/** A Screen whose two streams are the same terminal. */
function terminal(columns: number | undefined, colour = false): { screen: Screen; written: () => string } {
	let all = '';
	const write = (text: string): void => {
		all += text;
	};
	const stream = { write, columns, ready: async () => undefined };
	const outputs = outputsOver({ stdout: stream, stderr: stream });
	return { screen: new Screen({ ...outputs, colour }), written: () => all };
}

/** The final content of a terminal: carriage return and clear-line discard what the line contained. */
function shown(written: string): readonly string[] {
	return written.split('\n').map((line) => line.split('\r\x1b[K').at(-1) ?? '');
}

test('the status line is never mixed with log lines', () => {
	const { screen, written } = terminal(40);
	screen.status('1 active');
	void screen.log('pod', ['one', 'two']);
	screen.status('2 active');
	screen.report('news');
	assert.deepEqual(shown(written()), ['[pod] one', '[pod] two', 'news', '2 active']);
	screen.status('');
	assert.deepEqual(shown(written()).at(-1), '');
});

test('the status line is cut to the width of the terminal, since clearing removes one line only', () => {
	const { screen, written } = terminal(10);
	screen.status('a long status line');
	assert.equal(written(), 'a long st');
});

test('without a terminal there is no status line', () => {
	const { screen, written } = terminal(undefined);
	assert.equal(screen.hasStatus, false);
	screen.status('1 active');
	void screen.log(undefined, ['as it is']);
	assert.equal(written(), 'as it is\n');
});

test('each source keeps its colour if colours are enabled', () => {
	const { screen, written } = terminal(undefined, true);
	void screen.log('a', ['1']);
	void screen.log('b', ['2']);
	void screen.log('a', ['3']);
	const [first = '', second = '', third = ''] = written().split('\n');
	assert.equal(first, '\x1b[36m[a]\x1b[0m 1');
	assert.equal(third, first.replace('1', '3').replace(/ 1$/, ' 3'));
	assert.notEqual(second.slice(0, 5), first.slice(0, 5));
});

test('other output of the process is written above the status line, which is then drawn again', () => {
	let all = '';
	const write = (text: string): void => {
		all += text;
	};
	const stream = { write, columns: 40, ready: async () => undefined };
	const outputs = outputsOver({ stdout: stream, stderr: stream });
	outputs.setStatus('1 active');
	outputs.stderr.write('stint 12:00:00 warning: ');
	outputs.stderr.write('no\n');
	assert.deepEqual(shown(all), ['stint 12:00:00 warning: no', '1 active']);
	all = '';
	outputs.setStatus('1 active');
	assert.equal(all, '\r\x1b[K1 active');
});
