import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import test from 'node:test';
import { shellWord } from './shell-word.ts';

test('a shell reads each quoted word unchanged, and plain words stay unquoted', () => {
	const words = ['echo', '-n', 'a b', '', "it's", '$HOME', '*', '~', '"', 'a\nb', '\\', 'ü', '{a,b}', '#c'];
	const command = `printf '%s\\0' ${words.map(shellWord).join(' ')}`;
	assert.deepEqual(execFileSync('sh', ['-c', command], { encoding: 'utf8' }).split('\0').slice(0, -1), words);
	assert.equal(shellWord('./stint'), './stint');
	assert.equal(shellWord('gcr.io/a/b:1@sha256'), 'gcr.io/a/b:1@sha256');
});
