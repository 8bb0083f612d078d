import assert from 'node:assert/strict';
import test from 'node:test';
import { withoutSecrets } from './secrets-of.ts';

const BASIC = Buffer.from('ann:pass word').toString('base64');

test('what a registry repeats of the credentials is not shown', () => {
	const headers = { Authorization: `Basic ${BASIC}` };
	const text = `denied: ann with pass word (ann:pass word, ${BASIC})`;
	assert.equal(withoutSecrets(text, { headers }), 'denied: ann with REDACTED (REDACTED, REDACTED)');
	assert.equal(
		withoutSecrets('token abc.def', { headers: { Authorization: 'Bearer abc.def' } }),
		'token REDACTED',
	);
	const body = new TextEncoder().encode('grant_type=password&username=ann&password=s%C3%A9cret');
	assert.equal(withoutSecrets('no sécret here', { headers: {}, body }), 'no REDACTED here');
});

test('other texts are shown as they are', () => {
	assert.equal(withoutSecrets('denied', { headers: {} }), 'denied');
	assert.equal(withoutSecrets('a b', { headers: { Authorization: 'Bearer a' } }), 'a b');
	assert.equal(withoutSecrets('anything', { headers: { Authorization: '' } }), 'anything');
});
