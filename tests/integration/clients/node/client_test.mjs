// SPDX-License-Identifier: Apache-2.0
// @kubernetes/client-node as programs use it: node client_test.mjs KUBECONFIG
import assert from 'node:assert/strict';
import { test, before } from 'node:test';
import * as k8s from '@kubernetes/client-node';

const config = new k8s.KubeConfig();
config.loadFromFile(process.env.KUBECONFIG);
const core = config.makeApiClient(k8s.CoreV1Api);
const namespace = 'node';
const configMap = (name, data = {}, labels = {}) => ({ metadata: { name, labels }, data });
const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

async function eventually(holds, milliseconds = 15000) {
  const end = Date.now() + milliseconds;
  while (Date.now() < end) {
    if (await holds()) return;
    await sleep(20);
  }
  assert.fail('did not happen in time');
}

before(async () => {
  await core.createNamespace({ body: { metadata: { name: namespace } } });
});

test('an informer hears of everything', async () => {
  for (let i = 0; i < 10; i++) await core.createNamespacedConfigMap({ namespace, body: configMap(`early-${i}`) });
  const seen = new Map();
  const removed = [];
  let stopped = false;
  const informer = k8s.makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`, () =>
    core.listNamespacedConfigMap({ namespace }));
  informer.on('add', (object) => seen.set(object.metadata.name, object));
  informer.on('update', (object) => seen.set(object.metadata.name, object));
  informer.on('delete', (object) => removed.push(object.metadata.name));
  informer.on('error', (error) => {
    if (!stopped) assert.fail(String(error));
  });
  await informer.start();
  await eventually(() => [...Array(10).keys()].every((i) => seen.has(`early-${i}`)));
  for (let i = 0; i < 10; i++) await core.createNamespacedConfigMap({ namespace, body: configMap(`late-${i}`, { n: `${i}` }) });
  await core.patchNamespacedConfigMap(
    { name: 'early-3', namespace, body: { data: { changed: 'yes' } } },
    k8s.setHeaderOptions('Content-Type', k8s.PatchStrategy.MergePatch));
  await core.deleteNamespacedConfigMap({ name: 'early-4', namespace });
  await eventually(() => seen.get('early-3')?.data?.changed === 'yes' && removed.includes('early-4') && seen.has('late-9'));
  assert.equal(informer.get('late-5', namespace).data.n, '5');
  stopped = true;
  await informer.stop();
});

test('a watch ends when the client says so, and begins where it is told', async () => {
  const listed = await core.listNamespacedConfigMap({ namespace });
  const watch = new k8s.Watch(config);
  const events = [];
  const ended = new Promise((done) => {
    watch.watch(`/api/v1/namespaces/${namespace}/configmaps`,
      { resourceVersion: listed.metadata.resourceVersion, timeoutSeconds: 30 },
      (type, object) => events.push(`${type} ${object.metadata.name}`), done)
      .then(async (controller) => {
        await core.createNamespacedConfigMap({ namespace, body: configMap('watched') });
        await eventually(() => events.length > 0);
        controller.abort();
      });
  });
  await ended;
  assert.deepEqual(events, ['ADDED watched']);
});

test('patches and conflicts', async () => {
  await core.createNamespacedConfigMap({ namespace, body: configMap('patched', { a: '1' }) });
  const options = (type) => k8s.setHeaderOptions('Content-Type', type);
  let object = await core.patchNamespacedConfigMap(
    { name: 'patched', namespace, body: [{ op: 'replace', path: '/data/a', value: '2' }] }, options(k8s.PatchStrategy.JsonPatch));
  assert.equal(object.data.a, '2');
  object = await core.patchNamespacedConfigMap(
    { name: 'patched', namespace, fieldManager: 'one', body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'patched' }, data: { b: '1' } } },
    options(k8s.PatchStrategy.ServerSideApply));
  assert.deepEqual(object.data, { a: '2', b: '1' });
  await assert.rejects(core.patchNamespacedConfigMap(
    { name: 'patched', namespace, fieldManager: 'two', body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'patched' }, data: { b: '2' } } },
    options(k8s.PatchStrategy.ServerSideApply)), (error) => error.code === 409);
  object.metadata.resourceVersion = '1';
  await assert.rejects(core.replaceNamespacedConfigMap({ name: 'patched', namespace, body: object }), (error) => error.code === 409);
});

test('objects of any kind', async () => {
  const objects = k8s.KubernetesObjectApi.makeApiClient(config);
  const spec = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace }, spec: {
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'i' }] } } } };
  const made = await objects.create(spec);
  assert.equal(made.spec.replicas, 1);
  assert.equal((await objects.read(spec)).metadata.uid, made.metadata.uid);
  await objects.delete(spec);
  await assert.rejects(objects.read(spec), (error) => error.code === 404);
});

test('pages', async () => {
  const names = [];
  let token;
  do {
    const page = await core.listNamespacedConfigMap({ namespace, limit: 5, _continue: token });
    assert.ok(page.items.length <= 5);
    names.push(...page.items.map((item) => item.metadata.name));
    token = page.metadata._continue;
  } while (token);
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.length > 15);
});
