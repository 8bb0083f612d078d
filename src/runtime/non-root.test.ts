import assert from 'node:assert/strict';
import test from 'node:test';
import { verifyNonRoot } from './non-root.ts';
import { containerConfig, sandboxConfig } from './testing/configs.ts';

const { security } = containerConfig();
const POD = '(pod: "web_default(uid-web)", container: main)';

/** Why the container is refused; undefined if it is not. */
function refusal(runAsUser: number | undefined, imageUser: string, runAsNonRoot = true): string | undefined {
	const config = containerConfig({
		security: { ...security, runAsNonRoot, ...(runAsUser !== undefined && { runAsUser }) },
	});
	try {
		verifyNonRoot(config, sandboxConfig('web'), imageUser);
		return undefined;
	} catch (error) {
		return error instanceof Error ? error.message : String(error);
	}
}

test('the user of the Pod counts before that of the image', () => {
	assert.equal(refusal(7, 'root'), undefined);
	assert.equal(refusal(0, '7'), `container's runAsUser breaks non-root policy ${POD}`);
	assert.equal(refusal(0, '', false), undefined);
});

test('the user of the image must be a number other than 0', () => {
	assert.equal(refusal(undefined, '7:0'), undefined);
	for (const user of ['', '0', '00', '0:7'])
		assert.equal(
			refusal(undefined, user),
			`container has runAsNonRoot and image will run as root ${POD}`,
			user,
		);
	const why = 'image has non-numeric user (app), cannot verify user is non-root';
	assert.equal(refusal(undefined, 'app:5'), `container has runAsNonRoot and ${why} ${POD}`);
	assert.equal(refusal(undefined, 'app', false), undefined);
});
