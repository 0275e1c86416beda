import nnkit

data = nnkit.data.load("digits")
net = nnkit.FeedForward(inputs=64, hidden=[64, 32], outputs=10, activation="relu", output_activation="softmax")
run = net.fit(data.x_train, data.y_train, epochs=30, learning_rate=0.003, validation_split=0.1)
print(f"{net.test(data.x_test, data.y_test).accuracy:.1%} of the held-out digits")
print(run)
net.save("digits.h5")
