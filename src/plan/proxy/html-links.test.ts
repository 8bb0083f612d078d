import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HtmlLinks } from './html-links.ts';

const mark = (url: string): string => `[${url}]`;

/** The document after it has passed in pieces of this length. */
function rewritten(html: string, length: number): string {
	const links = new HtmlLinks(mark);
	let sent = '';
	for (let at = 0; at < html.length; at += length) sent += links.push(html.slice(at, at + length));
	return sent + links.end();
}

const CASES: readonly (readonly [string, string])[] = [
	['<a href="/x">/y</a>', '<a href="[/x]">/y</a>'],
	["<IMG alt=1 SRC = '/x' usemap=#m>", "<IMG alt=1 SRC = '[/x]' usemap=[#m]>"],
	['<script src=/x></script><a href=/y>', '<script src=[/x]></script><a href=[/y]>'],
	['<a hrefs="/x" data-href="/y" title="href=/z">', '<a hrefs="/x" data-href="/y" title="href=/z">'],
	['<p href="/x"><a title=">" href="/y">', '<p href="/x"><a title=">" href="[/y]">'],
	[
		'<script>if (a<b) "<a href=\'/x\'>"</script ><a href="/y">',
		'<script>if (a<b) "<a href=\'/x\'>"</script ><a href="[/y]">',
	],
	['<!-- <a href="/x"> --><a href="/y">', '<!-- <a href="/x"> --><a href="[/y]">'],
	['<!doctype html><html manifest="/m">', '<!doctype html><html manifest="[/m]">'],
	[
		'a < b <<a href="/x"></a href="/y"><?a href="/z"?>',
		'a < b <<a href="[/x]"></a href="/y"><?a href="/z"?>',
	],
	['<title><a href="/x"></title><link href="/y"/>', '<title><a href="/x"></title><link href="[/y]"/>'],
	['<a href><a href=><a href="">', '<a href><a href=><a href="[]">'],
	['<a disabled href="/x"b href="/y">', '<a disabled href="[/x]"b href="[/y]">'],
	['<a/href="/x"', '<a/href="[/x]"'],
	['<a href="/x', '<a href="/x'],
];

test('the URLs of tags are rewritten and nothing else, however the document is cut into pieces', () => {
	for (const [html, expected] of CASES)
		for (const length of [1, 2, 3, 7, 1000]) assert.equal(rewritten(html, length), expected, `${length}`);
});

test('a document without URLs passes unchanged', () => {
	const html = '<!DOCTYPE html><p class="a">\xe4<br/></p><style>a{b:url(/c)}</style>';
	for (const length of [1, 5, 100]) assert.equal(rewritten(html, length), html);
});

test('a long value is not held back', () => {
	const links = new HtmlLinks(mark);
	const value = `data:${'x'.repeat(9000)}`;
	assert.equal(links.push(`<img src="${value}`), `<img src="${value}`);
	assert.equal(links.push('y"><a href="/x">'), 'y"><a href="[/x]">');
});
