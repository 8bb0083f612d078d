import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { messageFromLog } from './termination-messages.ts';

function logOf(t: test.TestContext, lines: readonly string[], part = ''): string {
	const folder = mkdtempSync(join(tmpdir(), 'stint-message-'));
	t.after(() => rmSync(folder, { recursive: true, force: true }));
	const path = join(folder, '0.log');
	writeFileSync(`${path}${part}`, lines.map((line) => `${line}\n`).join(''));
	return path;
}

function line(text: string, kind = 'F'): string {
	return `2026-01-31T08:00:00.000000000Z stderr ${kind} ${text}`;
}

test('the termination message is the text of both streams, with line ends', async (t) => {
	const path = logOf(t, [line('one').replace('stderr', 'stdout'), line('two')]);
	assert.equal(await messageFromLog(path), 'one\ntwo\n');
});

test('the termination message has at most the last 80 lines', async (t) => {
	const path = logOf(
		t,
		Array.from({ length: 200 }, (_, index) => line(`${index}`)),
	);
	const lines = (await messageFromLog(path)).trimEnd().split('\n');
	assert.deepEqual([lines.length, lines[0], lines.at(-1)], [80, '120', '199']);
});

test('the termination message has at most 2048 bytes, and no partial character', async (t) => {
	const path = logOf(t, [line('€'.repeat(2000), 'P'), line('€'.repeat(2000))]);
	const message = await messageFromLog(path);
	assert.equal(message, `${'€'.repeat(682)}\n`);
});

test('a partial last line has no line end in the termination message', async (t) => {
	assert.equal(await messageFromLog(logOf(t, [line('whole'), line('half', 'P')])), 'whole\nhalf');
});

test('after a rotation the newest rotated part is read as well', async (t) => {
	const path = logOf(t, [line('before')], '.20260131-080000');
	assert.equal(await messageFromLog(path), 'before\n');
	writeFileSync(path, `${line('after')}\n`);
	assert.equal(await messageFromLog(path), 'before\nafter\n');
});

test('without a log the termination message is empty', async () => {
	assert.equal(await messageFromLog('/nowhere/at/all/0.log'), '');
});
