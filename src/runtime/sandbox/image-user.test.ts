import assert from 'node:assert/strict';
import test from 'node:test';
import { type ImageUser, imageUserOf, UnknownUser, type UserWish } from './image-user.ts';

const PASSWD = `root:x:0:0:root:/root:/bin/sh
# a comment
broken line
app:x:1000:1001:App:/home/app:/bin/sh
huge:x:99999999999:0::/:/bin/sh
`;
const GROUP = 'root:x:0:\nstaff:x:50:app,other\nwheel:x:10:app\nweb:x:1001:\n';

function user(named: string, wish: Partial<UserWish> = {}): ImageUser {
	return imageUserOf({ supplementalGroups: [], supplementalGroupsPolicy: 'Merge', ...wish }, named, {
		passwd: PASSWD,
		group: GROUP,
	});
}

test('the user of an image is looked up in its own databases', () => {
	assert.deepEqual(user(''), { uid: 0, gid: 0, groups: [0], home: '/root' });
	const app = { uid: 1000, gid: 1001, groups: [1001, 50, 10], home: '/home/app' };
	assert.deepEqual([user('app'), user('1000')], [app, app]);
	assert.deepEqual(user('app:staff'), { ...app, gid: 50, groups: [50, 10] });
	assert.deepEqual(user('app:7'), { ...app, gid: 7, groups: [7, 50, 10] });
	assert.deepEqual(user('4242'), { uid: 4242, gid: 0, groups: [0], home: '/' });
	assert.deepEqual(user('4242:4343'), { uid: 4242, gid: 4343, groups: [4343], home: '/' });
});

test('a user or group that the image names and lacks is an error', () => {
	for (const named of ['unknown', 'huge', '99999999999', '-1', 'app:nothing'])
		assert.throws(() => user(named), UnknownUser, named);
});

test('the numbers of the Pod replace those of the image', () => {
	assert.deepEqual(user('app', { runAsUser: 0 }), { uid: 0, gid: 0, groups: [0], home: '/root' });
	assert.deepEqual(user('0:staff', { runAsUser: 1000 }).gid, 1001);
	assert.deepEqual(user('app', { runAsGroup: 5 }).gid, 5);
	assert.deepEqual(user('', { runAsUser: 77, runAsGroup: 78 }), {
		uid: 77,
		gid: 78,
		groups: [78],
		home: '/',
	});
});

test('the groups of the image are added unless the policy is Strict', () => {
	assert.deepEqual(user('app', { supplementalGroups: [10, 20] }).groups, [1001, 50, 10, 20]);
	const strict = { supplementalGroups: [20], supplementalGroupsPolicy: 'Strict' } as const;
	assert.deepEqual(user('app', strict).groups, [1001, 20]);
});

test('an image without databases runs by numbers only', () => {
	const wish: UserWish = { supplementalGroups: [], supplementalGroupsPolicy: 'Merge' };
	const none = { passwd: undefined, group: undefined };
	assert.deepEqual(imageUserOf(wish, '', none), { uid: 0, gid: 0, groups: [0], home: '/' });
	assert.throws(() => imageUserOf(wish, 'app', none), /unable to find user app/);
});
