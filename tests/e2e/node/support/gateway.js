// Starts the real gateway, as a stranger would, and talks to it over gRPC.
'use strict';

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');

const root = path.resolve(__dirname, '../../../..');
const program = process.env.POSTRIDERD || path.join(root, 'build/release/server/postriderd');

const definition = grpc.loadPackageDefinition(protoLoader.loadSync(
    ['publisher', 'subscription_service', 'delivery', 'event_service'].map(
        (name) => `postrider/v1/${name}.proto`,
    ),
    { includeDirs: [path.join(root, 'proto')], longs: String, enums: String, defaults: true },
)).postrider.v1;

// How long a test waits for what must come.
const patienceMs = 30000;

/** Answers the promise, or fails saying what was awaited. */
function within(promise, what, ms = patienceMs) {
    let timer;
    const late = new Promise((resolve, reject) => {
        timer = setTimeout(() => reject(new Error(`waited ${ms} ms for ${what}`)), ms);
    });
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Asks again until the answer satisfies `test`. */
async function until(ask, test, what) {
    const end = Date.now() + patienceMs;
    for (;;) {
        const answer = await ask();
        if (test(answer)) return answer;
        if (Date.now() > end) throw new Error(`${what} did not come; last: ${JSON.stringify(answer)}`);
        await new Promise((resolve) => { setTimeout(resolve, 20); });
    }
}

class Gateway {
    /** Starts postriderd on ports of the system's choice, with an empty data directory. */
    static async start(...extra) {
        const gateway = new Gateway();
        gateway.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'postrider-e2e-'));
        const flags = ['--allow-loopback-targets', '--grpc-address=127.0.0.1:0', '--admin-address=127.0.0.1:0',
            `--data-dir=${path.join(gateway.folder, 'data')}`, ...extra];
        gateway.process = spawn(program, flags, { stdio: ['ignore', 'pipe', 'pipe'] });
        gateway.exited = new Promise((resolve) => { gateway.process.once('exit', resolve); });
        await gateway.readAddresses();
        gateway.connect();
        return gateway;
    }

    async readAddresses() {
        const said = [];
        const found = new Promise((resolve) => {
            const read = (line) => {
                said.push(line);
                const grpcMatch = /gRPC on (\S+:\d+)/.exec(line);
                if (grpcMatch) this.address = grpcMatch[1];
                const adminMatch = /admin HTTP on (\S+:\d+)/.exec(line);
                if (adminMatch) this.adminAddress = adminMatch[1];
                if (this.address && this.adminAddress) resolve();
            };
            readline.createInterface({ input: this.process.stdout }).on('line', read);
            readline.createInterface({ input: this.process.stderr }).on('line', read);
        });
        const died = this.exited.then((code) => {
            throw new Error(`postriderd ended with ${code}:\n${said.join('\n')}`);
        });
        died.catch(() => {});
        await within(Promise.race([found, died]), 'postriderd to listen');
        this.said = said;
    }

    connect() {
        const credentials = grpc.credentials.createInsecure();
        this.publisher = new definition.PublisherService(this.address, credentials);
        this.subscriptions = new definition.SubscriptionService(this.address, credentials);
        this.deliveries = new definition.DeliveryService(this.address, credentials);
    }

    static call(client, method, request) {
        return new Promise((resolve, reject) => {
            client[method](request, { deadline: Date.now() + patienceMs }, (error, response) => {
                if (error) reject(error);
                else resolve(response);
            });
        });
    }

    publish(event) {
        return Gateway.call(this.publisher, 'Publish', { event });
    }

    async subscribe(subscription) {
        const request = { subscription };
        const response = await Gateway.call(this.subscriptions, 'CreateSubscription', request);
        return response.subscription;
    }

    async subscription(id) {
        const request = { subscriptionId: id };
        return (await Gateway.call(this.subscriptions, 'GetSubscription', request)).subscription;
    }

    async attempts(subscriptionId) {
        const request = { subscriptionId };
        return (await Gateway.call(this.deliveries, 'ListAttempts', request)).attempts;
    }

    async stop() {
        for (const client of [this.publisher, this.subscriptions, this.deliveries]) client.close();
        this.process.kill('SIGTERM');
        const code = await within(this.exited, 'postriderd to end');
        fs.rmSync(this.folder, { recursive: true, force: true });
        return code;
    }
}

module.exports = { Gateway, root, until, within };
