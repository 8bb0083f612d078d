import assert from 'node:assert/strict';
import test from 'node:test';
import type { Volume } from '../../api/core/pod/schema.ts';
import { volumeLines } from './volume.ts';

test('each source of a projected volume has the lines of kubectl, and so has an image', () => {
	const volumes: readonly Volume[] = [
		{
			name: 'all',
			projected: {
				sources: [
					{ secret: { name: 's', optional: true } },
					{ configMap: { name: 'c' } },
					{ downwardAPI: { items: [] } },
					{ serviceAccountToken: { path: 'token', expirationSeconds: 3607 } },
				],
			},
		},
		{ name: 'image', image: { reference: 'busybox', pullPolicy: 'Always' } },
	];
	assert.deepEqual(volumeLines(volumes), [
		'Volumes:',
		'  all:',
		'    Type:\tProjected (a volume that contains injected data from multiple sources)',
		'    SecretName:\ts',
		'    Optional:\ttrue',
		'    ConfigMapName:\tc',
		'    Optional:\tfalse',
		'    DownwardAPI:\ttrue',
		'    TokenExpirationSeconds:\t3607',
		'  image:',
		'    Type:\tImage (a container image or OCI artifact)',
		'    Reference:\tbusybox',
		'    PullPolicy:\tAlways',
	]);
});
