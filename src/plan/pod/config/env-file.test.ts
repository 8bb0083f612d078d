import assert from 'node:assert/strict';
import test from 'node:test';
import { variableInFile } from './env-file.ts';

test('a variable is found among blank lines, comments and values of several lines', () => {
	const text = [
		"  A='1'",
		'',
		'# B is below',
		"B='one\ntwo # kept' # dropped",
		"C= 'nothing'",
		"D=''",
		"E='last'\r",
	].join('\n');
	const values = ['A', 'B', 'C', 'D', 'E', 'F'].map((key) => variableInFile(text, key));
	assert.deepEqual(values, ['1', 'one\ntwo # kept', '', '', 'last', '']);
	assert.equal(variableInFile('', 'A'), '');
});

test('a malformed line up to the variable is an error that names the line', () => {
	const wrong: readonly (readonly [string, string])[] = [
		['A', "at line 1: missing '='"],
		["='x'", 'at line 1: empty variable name'],
		["\nA ='x'", "at line 2: whitespace before '=' is not allowed"],
		['A=x', 'at line 1: value must be enclosed in single quotes'],
		["A='x'y", 'at line 1: unexpected content after closing quote'],
		["A='x\ny", 'starting at line 1: unclosed single quote'],
		[`A='${'x'.repeat(70_000)}'`, 'at line 1: token too long'],
	];
	for (const [text, why] of wrong) {
		assert.throws(() => variableInFile(text, 'A'), { message: `invalid environment variable format ${why}` });
	}
	assert.equal(variableInFile("A='x'\nnonsense", 'A'), 'x');
});
