import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod } from '../../../api/core/pod/schema.ts';
import { canBeCopied } from './copied-volumes.ts';

const MOUNT = { name: 'v', mountPath: '/v' };

/** Whether the volume `v` can be copied in a Pod whose container mounts it once, with changes. */
function isCopied(source: object, spec: object = {}, container: object = {}): boolean {
	const volume = { name: 'v', ...source };
	const containers = [{ name: 'c', volumeMounts: [MOUNT], ...container }];
	const pod = { metadata: {}, spec: { restartPolicy: 'Never', containers, volumes: [volume], ...spec } };
	// The cast is safe: the rule reads only these fields.
	return canBeCopied(volume, pod as unknown as Pod);
}

test('files from the API are copied for any number of containers', () => {
	const sidecars = { initContainers: [{ name: 'i', volumeMounts: [MOUNT] }] };
	for (const kind of ['configMap', 'secret', 'projected', 'downwardAPI'])
		assert.ok(isCopied({ [kind]: {} }, { ...sidecars, restartPolicy: 'Always' }), kind);
});

test('an emptyDir is a folder of its container only if no other one, and no later run, has its content', () => {
	const scratch = { emptyDir: {} };
	assert.ok(isCopied(scratch));
	assert.ok(!isCopied({ emptyDir: { medium: 'Memory' } }));
	assert.ok(!isCopied({ emptyDir: { sizeLimit: '1Mi' } }));
	assert.ok(!isCopied(scratch, { restartPolicy: 'OnFailure' }));
	assert.ok(!isCopied(scratch, {}, { restartPolicy: 'Always' }));
	assert.ok(!isCopied(scratch, {}, { restartPolicyRules: [{ action: 'Restart' }] }));
	assert.ok(!isCopied(scratch, {}, { volumeMounts: [{ ...MOUNT, subPath: 'a' }] }));
	assert.ok(!isCopied(scratch, {}, { volumeMounts: [MOUNT, { ...MOUNT, mountPath: '/w' }] }));
	assert.ok(!isCopied(scratch, { initContainers: [{ name: 'i', volumeMounts: [MOUNT] }] }));
	const env = [{ name: 'A', valueFrom: { fileKeyRef: { volumeName: 'v', path: 'f', key: 'A' } } }];
	assert.ok(!isCopied(scratch, {}, { env }));
});

test('storage that outlives the Pod is never copied', () => {
	assert.ok(!isCopied({ hostPath: { path: '/data' } }));
	assert.ok(!isCopied({ persistentVolumeClaim: { claimName: 'c' } }));
	assert.ok(!isCopied({ image: { reference: 'i' } }));
});
