import assert from 'node:assert/strict';
import test from 'node:test';
import type { PullAccess } from '../../image/store/pull-access.ts';
import type { ImagePullSecret } from '../contract.ts';
import { credentialHashOf, mayUse } from './may-use.ts';

const ID = `sha256:${'a'.repeat(64)}`;
const NAME = 'registry.example/app:1';
const OTHER = 'registry.example/other:1';
const OWN: ImagePullSecret = {
	uid: 'one',
	namespace: 'a',
	name: 'pull',
	text: '{"auths":{}}',
	isLegacy: false,
};
const ANYBODY: PullAccess = { everyPod: true, secrets: [], serviceAccounts: [] };

function pulledWith(secret: ImagePullSecret): PullAccess {
	const { uid, namespace, name } = secret;
	const secrets = [{ uid, namespace, name, credentialHash: credentialHashOf(secret) }];
	return { everyPod: false, secrets, serviceAccounts: [] };
}

const PRIVATE = { 'registry.example/app': pulledWith(OWN) };

test('an image that was pulled with a Secret is for Pods with it, or with one of the same content', () => {
	assert.equal(mayUse(PRIVATE, NAME, [OWN]), true);
	assert.equal(mayUse(PRIVATE, NAME, []), false);
	assert.equal(mayUse(PRIVATE, NAME, [{ ...OWN, uid: 'two', namespace: 'b', name: 'copy' }]), true);
	assert.equal(mayUse(PRIVATE, NAME, [{ ...OWN, text: 'changed' }]), true);
	// Made anew under its name, it is another one.
	assert.equal(mayUse(PRIVATE, NAME, [{ ...OWN, uid: 'two', text: 'changed' }]), false);
});

test('the id of an image opens it to no further Pod', () => {
	assert.equal(mayUse(PRIVATE, ID, []), false);
	assert.equal(mayUse(PRIVATE, ID, [OWN]), true);
	assert.equal(mayUse({ ...PRIVATE, 'registry.example/other': ANYBODY }, ID, []), true);
	// A repository may be called sha256.
	const odd = { 'docker.io/library/sha256': pulledWith(OWN) };
	assert.equal(mayUse(odd, 'sha256:1', []), false);
});

test('nor does another name of it, or another repository that has it', () => {
	assert.equal(mayUse(PRIVATE, OTHER, []), false);
	assert.equal(mayUse(PRIVATE, OTHER, [OWN]), true);
	assert.equal(mayUse({ ...PRIVATE, 'registry.example/other': ANYBODY }, NAME, []), false);
	assert.equal(mayUse({ ...PRIVATE, 'registry.example/other': ANYBODY }, OTHER, []), true);
});

test('an image that was never pulled is for every Pod', () => {
	assert.equal(mayUse({}, NAME, []), true);
	assert.equal(mayUse({}, ID, []), true);
});
