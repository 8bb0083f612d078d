import assert from 'node:assert/strict';
import test from 'node:test';
import { parseProbe } from '../process/shim/probe.ts';
import { containerConfig } from '../testing/configs.ts';
import { chrootBoxOf } from './chroot-box.ts';
import { imageMachineOf, imagesRefusal } from './image-machine.ts';

const IMAGE = {
	root: { folder: '/c/root' },
	user: { uid: 7, gid: 8, groups: [9] as readonly number[], home: '/' },
	resolvConf: '/c/resolv.conf',
};

test('a container by chroot asks for no namespace, and has no right to leave its root', () => {
	const { security } = containerConfig();
	const capabilities = { add: ['ALL', 'SYS_CHROOT'], drop: ['CHOWN'] };
	const config = containerConfig({ security: { ...security, privileged: true, capabilities } });
	const box = chrootBoxOf(config, { image: IMAGE, facts: { filter: '/filter.bpf' } });
	assert.equal(box.namespaces, '');
	assert.deepEqual(box.root, { folder: '/c/root', isChroot: true });
	assert.deepEqual([box.user, box.groups], [{ uid: 7, gid: 8 }, [9]]);
	// The default a80425fb without CHOWN (0), SYS_CHROOT (18) and MKNOD (27).
	assert.equal(box.capabilities, 'a00025fa');
	assert.deepEqual([box.noNewPrivileges, box.seccomp], [true, '/filter.bpf']);
});

test('of what the Pod mounts, only the termination message is copied back', () => {
	const how = { subPath: '', readOnly: true, recursiveReadOnly: 'Enabled', propagation: 'None' } as const;
	const config = containerConfig({
		mounts: [{ ...how, hostPath: '/v', containerPath: '/data' }],
		terminationMessagePath: '/dev/termination-log',
		terminationMessageFile: '/m',
	});
	const box = chrootBoxOf(config, { image: IMAGE, facts: { filter: '' } });
	assert.deepEqual(
		box.mounts
			.filter(({ source }) => !source.startsWith('/dev/'))
			.map(({ source, flags }) => [source, flags]),
		[
			['/c/resolv.conf', ''],
			['/v', ''],
			['/m', 'B'],
		],
	);
});

test('the level is chroot only where a container can have no box, no processes or no root of its own', () => {
	const levelOf = (output: string): string => imageMachineOf(parseProbe(output)).level;
	assert.equal(levelOf('box none 38 clone\nchroot yes\n'), 'chroot');
	assert.equal(levelOf('box user\npid no 1 mount\nchroot yes\n'), 'chroot');
	assert.equal(levelOf('box none 38 clone\nchroot no 1 chroot\n'), 'none');
	assert.equal(levelOf('box root\npid yes\nroot yes\noverlay no 22 overlay\n'), 'root');
	assert.equal(levelOf('box root\npid yes\nroot no 1 pivot\nchroot yes\n'), 'chroot');
	const without = imageMachineOf(parseProbe('box root\npid yes\nroot no 1 pivot\nchroot no 1 copy\n'));
	assert.match(
		imagesRefusal('/shim', without) ?? '',
		/: pivot: operation not permitted, nor gives them roots by chroot: copy: operation not permitted$/,
	);
	const refused = imageMachineOf(parseProbe('box none 38 clone\nchroot no 1 chroot\n'));
	assert.match(
		imagesRefusal('/shim', refused) ?? '',
		/: clone: function not implemented, nor gives them roots by chroot: chroot: operation not permitted$/,
	);
	assert.equal(
		imagesRefusal('/shim', imageMachineOf(parseProbe('box none 38 clone\nchroot yes\n'))),
		undefined,
	);
});
