import assert from 'node:assert/strict';
import test from 'node:test';
import { alignText, DESCRIBE_STYLE, TABLE_STYLE } from './aligned-text.ts';

test('a column is as wide as its widest cell, and the text after the last tab is not padded', () => {
	assert.equal(
		alignText('NAME\tAGE\nhello\t5s\na-long-name\t10m\n', TABLE_STYLE),
		'NAME          AGE\nhello         5s\na-long-name   10m\n',
	);
});

test('a column has at least the minimum width', () => {
	assert.equal(alignText('A\tB\nx\ty\n', TABLE_STYLE), 'A     B\nx     y\n');
});

test('a line without a tab ends the columns above it', () => {
	assert.equal(
		alignText('Name:\tx\nVery Long Name:\ty\nEvents:\nA:\tb\n', DESCRIBE_STYLE),
		'Name:            x\nVery Long Name:  y\nEvents:\nA:  b\n',
	);
});

test('inner columns are aligned only among consecutive lines that have them', () => {
	assert.equal(alignText('a\tbbb\tc\nd\te\nf\tg\th\n', DESCRIBE_STYLE), 'a  bbb  c\nd  e\nf  g  h\n');
});

test('the width of a cell is its number of characters, not of bytes', () => {
	assert.equal(alignText('ä😀\tx\nabc\ty\n', DESCRIBE_STYLE), 'ä😀   x\nabc  y\n');
});
