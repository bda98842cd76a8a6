"""What decoder.py and deflate.py both need."""


class Reject(Exception):
    """The data is damaged, or asks for something that is not there."""


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        if n > len(self.data) - self.at:
            raise Reject("the data ends too early")
        self.at += n
        return self.data[self.at - n : self.at]

    def integer(self, n):
        return int.from_bytes(self.take(n), "little")

    def number(self):
        """§2.4. One to five bytes: seven bits in each, the lowest first."""
        value = 0
        for place in range(5):
            byte = self.integer(1)
            value |= (byte & 127) << 7 * place
            if byte < 128:
                return value
        raise Reject("a number of more than five bytes")
